// An error whose message is all the learner needs: what is wrong, and the way out. Printed without a stack trace.

export class Sorry extends Error {}

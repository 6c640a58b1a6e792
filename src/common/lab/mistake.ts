// The shape of mistakes/<name>/expect.yaml: which step must refuse this wrong end state, and with which words.

import { z } from 'zod';
import { ID } from './schema.ts';

export const mistakeSchema = z
  .strictObject({
    step: z.string().regex(ID).describe('The step that must not pass.'),
    check: z
      .string()
      .regex(ID)
      .optional()
      .describe('Whose words are meant; any check of the step when left out.'),
    says: z
      .strictObject({
        'zh-TW': z.string().trim().min(6, 'is too short to tell one sentence from another'),
        en: z.string().trim().min(15, 'is too short to tell one sentence from another'),
      })
      .describe('Words the learner must read, as a part of the sentence.'),
  })
  .describe('What a mistake must lead to.');

/** For whoever misspelt a key; '' is the file itself. */
export const MISTAKE_KEYS = { '': Object.keys(mistakeSchema.shape), says: ['zh-TW', 'en'] };

export type Mistake = z.output<typeof mistakeSchema>;

export const mistakeJsonSchema = (): unknown => z.toJSONSchema(mistakeSchema);

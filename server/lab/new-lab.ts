// The files of a lab to start from: the smallest one that proves itself. Writes nothing.

export function newLab(): Record<string, string> {
  return {
    'lab.yaml': `# yaml-language-server: $schema=../lab.schema.json
title:
  zh-TW: 第一個 ConfigMap
  en: A first ConfigMap
minutes: 5
steps:
  - id: make-it
    task:
      zh-TW: 在 \`default\` 命名空間建立名為 \`greeting\` 的 ConfigMap，裡面的 \`text\` 是 \`hello\`。
      en: Create a ConfigMap named \`greeting\` in the namespace \`default\`; its \`text\` is \`hello\`.
    hints:
      - zh-TW: 指令是 \`kubectl create configmap\`。
        en: The command is \`kubectl create configmap\`.
      - zh-TW: '\`kubectl create configmap greeting --from-literal=text=hello\`'
        en: '\`kubectl create configmap greeting --from-literal=text=hello\`'
    checks:
      - resource:
          ref: { kind: ConfigMap, namespace: default, name: greeting }
          match: { data: { text: hello } }
        otherwise:
          zh-TW: ConfigMap 還不是要的樣子。
          en: The ConfigMap is not as asked yet.
`,
    'solution/01-make-it.sh': 'kubectl create configmap greeting --from-literal=text=hello\n',
    'mistakes/other-text/do.sh': 'kubectl create configmap greeting --from-literal=text=bye\n',
    'mistakes/other-text/expect.yaml': `# yaml-language-server: $schema=../../../expect.schema.json
step: make-it
says:
  zh-TW: data.text 是 bye
  en: data.text is bye
`,
  };
}

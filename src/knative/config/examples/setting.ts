/**
 * How a ConfigMap documents itself: a table of settings, each with its default and a sentence or two, becomes the text
 * under `_example`, which is YAML that could stand under `data`.
 */

export interface Setting {
  readonly key: string;
  /** The default, or a value that shows the form. */
  readonly value: string;
  readonly doc: string;
}

export function setting(key: string, value: string, doc: string): Setting {
  return { key, value, doc };
}

const WIDTH = 78;

const INTRODUCTION =
  'This text documents the settings and has no effect. To change one, put its key directly under "data", beside ' +
  '"_example". What is shown is the default, unless the comment says otherwise.';

export function renderExample(settings: readonly Setting[]): string {
  const parts = settings.map(({ key, value, doc }) => `${comment(doc)}\n${key}: ${yamlText(value)}\n`);
  return [`${comment(INTRODUCTION)}\n`, ...parts].join('\n');
}

function yamlText(value: string): string {
  if (!value.includes('\n')) return value.includes('"') ? `'${value}'` : JSON.stringify(value);
  return `|\n${value.trimEnd().replaceAll(/^/gm, '  ')}`;
}

function comment(text: string): string {
  const lines: string[] = [];
  let line = '#';
  for (const word of text.split(' ')) {
    if (line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = '#';
    }
    line += ` ${word}`;
  }
  return [...lines, line].join('\n');
}

/**
 * What a person saw in a terminal, as a test: a text file of commands, each with what it prints. They run one after
 * another in an empty folder that is their home too, and everything printed has to be as written.
 *
 *     # a remark
 *     $ kn service list          a command of the shell
 *     No services found.         its standard output
 *     ! Error: …                 its standard error
 *     [1]                        its exit code, where that is not 0
 *     $~ kn revision list        run again until it prints this
 *     $ GET http://…             a request to the gateway
 *
 * What differs between two runs by nature is written as `<age>`, `<uid>`, `<time>` and so on; runs of blanks count
 * as two. No trailing blanks, and no blank lines at the end, on either side.
 */
import { copyFileSync } from 'node:fs';
import { eventually } from '#testing/eventually.ts';
import { plain } from '#testing/kubectl-replay/plain.ts';
import { type Output, runProgram, type TestPlatform } from '#testing/platform.ts';
import { TemporaryFolder } from '#testing/temporary-folder.ts';

const UNTIL_MS = 30_000;
const UNTIL_INTERVAL_MS = 200;

/** What Serving says while a Service becomes ready. Which of it a client gets to see is a matter of time. */
const PROGRESS = new Set([
  '...',
  'The Configuration is still working to reflect the latest desired specification.',
  'The Route is still working to reflect the latest desired specification.',
  'Configuration "<name>" is waiting for a Revision to become ready.',
  'Traffic is not yet migrated to the latest revision.',
  'Ingress has not yet been reconciled.',
  'Waiting for load balancer to be ready',
  'Revision "<name>" is not yet ready.',
  'Revision "<name>" referenced in traffic not found.',
]);
const PROGRESS_LINE = /^ *\d+\.\d{3}s (.+)$/;
/** A row of kn's table of conditions, up to the age. */
const CONDITION_AGE = /^( *(?:\+\+|!!|\?\?|W|I) \w+ +)\d+\w+/gm;
/** Of images that the machine's own compiler made. */
const SHORT_DIGEST = /(?<=\((?:pinned to|at) )[0-9a-f]{6}(?=\))/g;
const INSECURE = /(?<=Warning: )Kubernetes default value is insecure, Knative may default .*/g;

interface Step {
  readonly command: string;
  readonly isRepeated: boolean;
  /** Line in the file, from 1. */
  readonly line: number;
  readonly expected: string;
}

interface Scene {
  readonly platform: TestPlatform;
  /** Home and working folder. */
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
}

/** @param env for its commands, beside the way to the platform. Answers each difference as lines, none when all fits. */
export async function playTranscript(
  text: string,
  platform: TestPlatform,
  env: Readonly<Record<string, string>>,
): Promise<string[]> {
  using folder = new TemporaryFolder('transcript-');
  const scene = {
    platform,
    folder: folder.path,
    env: { ...env, HOME: folder.path, KUBECONFIG: folder.at('.kubeconfig') },
  };
  // Its own, since commands may change it.
  copyFileSync(platform.paths.kubeconfig, scene.env.KUBECONFIG);
  const differences: string[] = [];
  for (const step of parseTranscript(text)) {
    const printed = await runStep(step, scene);
    if (printed === step.expected) continue;
    differences.push(`line ${step.line}: $ ${step.command}`, '- written:', step.expected, '- printed:', printed);
  }
  return differences;
}

export function parseTranscript(text: string): Step[] {
  const steps: { command: string; isRepeated: boolean; line: number; lines: string[] }[] = [];
  for (const [at, line] of text.split('\n').entries()) {
    const [, mark, command = ''] = /^\$(~?) (.+)$/.exec(line) ?? [];
    if (mark !== undefined) steps.push({ command, isRepeated: mark === '~', line: at + 1, lines: [] });
    else if (!line.startsWith('# ')) steps.at(-1)?.lines.push(line);
  }
  return steps.map(({ lines, ...step }) => ({ ...step, expected: lines.join('\n').trimEnd() }));
}

/** What the step printed in the end, in the words of a transcript. */
async function runStep({ command, isRepeated, expected }: Step, scene: Scene): Promise<string> {
  const run = async () => written(await runCommand(command, scene), scene.folder);
  let printed = await run();
  if (!isRepeated) return printed;
  const isThere = async () => printed === expected || (printed = await run()) === expected;
  const limits = { timeoutMs: UNTIL_MS, intervalMs: UNTIL_INTERVAL_MS };
  return eventually(isThere, limits).then(
    () => expected,
    () => printed,
  );
}

async function runCommand(command: string, { platform, folder, env }: Scene): Promise<Output> {
  const [, url] = /^GET (\S+)$/.exec(command) ?? [];
  if (url === undefined) return runProgram('sh', ['-c', `cd '${folder}' && exec </dev/null && ${command}`], { env });
  const { status, body } = await platform.get(url);
  return { code: 0, stdout: `${status} ${body}`, stderr: '' };
}

export function written({ code, stdout, stderr }: Output, folder: string): string {
  const printed = withoutProgress(stdout).trimEnd();
  const errors = stderr.trimEnd().replaceAll(INSECURE, '<insecure defaults>').replaceAll(/^/gm, '! ');
  const parts = [printed, stderr === '' ? '' : errors, code === 0 ? '' : `[${code}]`];
  const text = parts.filter((part) => part !== '').join('\n');
  return plain(text, { namespace: '{{ns}}', folder, literals: '' })
    .replaceAll(CONDITION_AGE, '$1<age>')
    .replaceAll(SHORT_DIGEST, '<hash>')
    .replaceAll(/(\S) {2,}(?=\S)/g, '$1  ')
    .replaceAll(/[ \t]+$/gm, '')
    .trimEnd();
}

/** Known lines of progress go, and how long the rest took. A text that Knative does not have stays, and differs. */
function withoutProgress(stdout: string): string {
  return stdout
    .split('\n')
    .flatMap((line) => {
      const [, said = ''] = PROGRESS_LINE.exec(line) ?? [];
      if (PROGRESS.has(said.replace(/(?<=^(?:Configuration|Revision) )"[^"]+"/, '"<name>"'))) return [];
      return said === '' ? line : `<time> ${said}`;
    })
    .join('\n');
}

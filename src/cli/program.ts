/** The command line: sub-commands, flags, their environment variables, and the exit code. */
import { homedir } from 'node:os';
import path from 'node:path';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { readAuditPolicy } from '#cli/audit-flags.ts';
import { type CliContext, CliError } from '#cli/context.ts';
import { doctor } from '#cli/doctor.ts';
import { down } from '#cli/down.ts';
import { imageList, imageLoad, imagePull, imageRemove } from '#cli/image.ts';
import { kubeconfig } from '#cli/kubeconfig.ts';
import { DEFAULT_STATE_DIR } from '#cli/settings.ts';
import { status } from '#cli/status.ts';
import { up, type UpOptions } from '#cli/up.ts';
import { version } from '#cli/version.ts';
import { isAbort } from '#base/abort.ts';
import { isIP } from 'node:net';

/** Of `timeout` and shells: ended by an interrupt. */
const EXIT_INTERRUPTED = 130;
const EXIT_USAGE = 2;
const MAX_PORT = 65_535;

/** @param args without Node and script. Answers the exit code. */
export async function runProgram(context: CliContext, args: readonly string[]): Promise<number> {
  let exitCode = 0;
  const run = (code: number) => {
    exitCode = code;
  };
  try {
    await createProgram(context, run).parseAsync(args, { from: 'user' });
    return exitCode;
  } catch (error) {
    return explain(context, error);
  }
}

function explain({ out, signal }: CliContext, error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_USAGE;
  if (isAbort(error, signal)) return EXIT_INTERRUPTED;
  if (!(error instanceof CliError)) throw error;
  out.note(`${out.bad('error:')} ${error.message}`);
  if (error.cure !== undefined) out.note(`       ${error.cure}`);
  return error.exitCode;
}

type Run = (exitCode: number) => void;

/** The commands; `run` is told the exit code of the one that ran. */
export function createProgram(context: CliContext, run: Run): Command {
  const program = new Command('pinnace')
    .description('Knative on one Linux machine: Serving on real containers, with nothing but an OCI runtime')
    .exitOverride()
    .showSuggestionAfterError()
    .helpCommand(false);
  program.configureOutput({
    writeOut: (text) => context.out.line(text.trimEnd()),
    writeErr: (text) => context.out.note(text.trimEnd()),
  });
  addUp(program, context, run);
  addDown(program, context, run);
  addStatus(program, context, run);
  addDoctor(program, context, run);
  addKubeconfig(program, context, run);
  addVersion(program, context, run);
  addImage(program, context, run);
  return program;
}

function stateDir(): Option {
  return new Option('--state-dir <dir>', 'where everything of the platform lives')
    .env('PINNACE_STATE_DIR')
    .default(DEFAULT_STATE_DIR)
    .argParser((text) => path.resolve(text));
}

function output(): Option {
  return new Option('-o, --output <format>', 'text or json')
    .choices(['text', 'json'])
    .default('text')
    .env('PINNACE_OUTPUT');
}

function port(name: string, what: string): Option {
  const variable = `PINNACE_${name.toUpperCase().replace('-', '_')}`;
  return new Option(`--${name} <port>`, `port of ${what}; 0 chooses a free one`).env(variable).argParser(parsePort);
}

/** Flags that say too little without their command. */
const VARIABLES: Readonly<Record<string, string>> = {
  '--path': 'PINNACE_KUBECONFIG_PATH',
  '--force': 'PINNACE_IMAGE_FORCE',
};

/** On or off, on the command line by being there; its environment variable says 1 or 0, true or false. */
function flag(name: string, description: string): Option {
  return new Option(name, `${description} (env: ${variableOf(name)}, 1 or 0)`);
}

function variableOf(name: string): string {
  return VARIABLES[name] ?? `PINNACE_${name.slice(2).toUpperCase().replaceAll('-', '_')}`;
}

/** Undefined when neither says anything. */
function isOn({ env }: CliContext, name: string, given: boolean | undefined): boolean | undefined {
  const text = env[variableOf(name)];
  if (given !== undefined || text === undefined || text === '') return given;
  if (/^(1|true|yes|on)$/i.test(text)) return true;
  if (/^(0|false|no|off)$/i.test(text)) return false;
  throw new CliError(`${variableOf(name)} is ${JSON.stringify(text)}`, {
    cure: 'set it to 1 or 0',
    exitCode: EXIT_USAGE,
  });
}

function parsePort(text: string): number {
  const number = Number(text);
  if (/^\d{1,5}$/.test(text) && number <= MAX_PORT) return number;
  throw new InvalidArgumentError('a port is a number from 0 to 65535.');
}

function parseAddress(text: string): string {
  if (isIP(text) !== 0) return text;
  throw new InvalidArgumentError('it takes an IP address, such as 127.0.0.1 or 0.0.0.0.');
}

interface UpValues {
  readonly stateDir: string;
  readonly apiPort?: number;
  readonly httpPort?: number;
  readonly httpsPort?: number;
  readonly listen?: string;
  readonly hosts: boolean;
  readonly logLevel?: string;
  readonly auditLog?: string;
  readonly auditPolicy?: string;
  readonly detach?: boolean;
  readonly wait?: boolean;
}

function addUp(program: Command, context: CliContext, run: Run): void {
  program
    .command('up')
    .description('starts the platform; stays in the foreground unless told otherwise')
    .addOption(stateDir())
    .addOption(port('api-port', 'the Kubernetes API (default 6443)'))
    .addOption(port('http-port', 'the gateway for HTTP (default 80, else 8080)'))
    .addOption(port('https-port', 'the gateway for HTTPS (default 443, else 8443)'))
    .addOption(
      new Option('--listen <address>', 'address to listen on (default 127.0.0.1)')
        .env('PINNACE_LISTEN')
        .argParser(parseAddress),
    )
    .addOption(flag('--no-hosts', 'leave /etc/hosts alone'))
    .addOption(
      new Option('--log-level <level>', 'of the platform’s own logs')
        .choices(['debug', 'info', 'warn', 'error'])
        .env('PINNACE_LOG_LEVEL'),
    )
    .addOption(
      new Option('--audit-log <file>', 'records requests in Kubernetes’ format; - for its own log, "" for none').env(
        'PINNACE_AUDIT_LOG',
      ),
    )
    .addOption(
      new Option('--audit-policy <file>', 'what the audit log holds (default: who did what, no bodies)').env(
        'PINNACE_AUDIT_POLICY',
      ),
    )
    .addOption(flag('--detach', 'return once its processes run'))
    .addOption(flag('--wait', 'return once it is ready'))
    .action(async (values: UpValues) => run(await up(context, await upOptions(context, values))));
}

async function upOptions(context: CliContext, given: UpValues): Promise<UpOptions> {
  const { hosts, detach, wait, auditPolicy: policyFile, ...values } = given;
  const auditPolicy = policyFile ? await readAuditPolicy(policyFile) : undefined;
  const noHosts = isOn(context, '--no-hosts', hosts ? undefined : true);
  const isDetached = isOn(context, '--detach', detach) ?? false;
  const until = isOn(context, '--wait', wait) ? 'ready' : isDetached ? 'started' : 'stopped';
  return { ...values, auditPolicy, hosts: noHosts === undefined ? undefined : !noHosts, until };
}

function addDown(program: Command, context: CliContext, run: Run): void {
  program
    .command('down')
    .description('stops the platform and its containers; what it knows stays')
    .addOption(stateDir())
    .addOption(flag('--purge', 'remove everything of it from this machine'))
    .action(async (values: { stateDir: string; purge?: boolean }) =>
      run(await down(context, { stateDir: values.stateDir, purge: isOn(context, '--purge', values.purge) ?? false })),
    );
}

function addStatus(program: Command, context: CliContext, run: Run): void {
  program
    .command('status')
    .description('what runs, where it listens, whether it is ready')
    .addOption(stateDir())
    .addOption(output())
    .action(async (values: { stateDir: string; output: 'text' | 'json' }) => run(await status(context, values)));
}

function addDoctor(program: Command, context: CliContext, run: Run): void {
  program
    .command('doctor')
    .description('checks what this machine must have, and says how to get it')
    .addOption(stateDir())
    .addOption(output())
    .action(async (values: { stateDir: string; output: 'text' | 'json' }) => run(await doctor(context, values)));
}

function addKubeconfig(program: Command, context: CliContext, run: Run): void {
  program
    .command('kubeconfig')
    .description('prints the kubeconfig')
    .addOption(stateDir())
    .addOption(flag('--path', 'print where it is instead'))
    .action((values: { stateDir: string; path?: boolean }) => {
      const show = isOn(context, '--path', values.path) ? 'path' : 'content';
      run(kubeconfig(context, { stateDir: values.stateDir, show }));
    });
}

function addVersion(program: Command, context: CliContext, run: Run): void {
  program
    .command('version')
    .description('prints the version')
    .addOption(output())
    .action((values: { output: 'text' | 'json' }) => run(version(context, values)));
}

function addImage(program: Command, context: CliContext, run: Run): void {
  const image = program.command('image').description('the local image store, which is asked before any registry');
  image
    .command('load')
    .description('loads a docker archive or an OCI layout as a tar, compressed or not')
    .argument('[file]', 'the archive; - or nothing for standard input', '-')
    .addOption(stateDir())
    .addOption(
      new Option('--name <name>', 'the name of its only image, whatever the archive says').env('PINNACE_IMAGE_NAME'),
    )
    .action(async (file: string, values: { stateDir: string; name?: string }) =>
      run(await imageLoad(context, file, values)),
    );
  image
    .command('pull')
    .description('pulls an image from its registry')
    .argument('<image>')
    .addOption(stateDir())
    .addOption(new Option('--username <name>', 'for the registry').env('PINNACE_REGISTRY_USERNAME'))
    .addOption(new Option('--password <password>', 'for the registry').env('PINNACE_REGISTRY_PASSWORD'))
    .action(async (name: string, values: { stateDir: string; username?: string; password?: string }) =>
      run(await imagePull(context, name, { ...values, dockerConfig: dockerConfig(context) })),
    );
  image
    .command('list')
    .alias('ls')
    .description('lists the images that are here')
    .addOption(stateDir())
    .addOption(output())
    .action(async (values: { stateDir: string; output: 'text' | 'json' }) => run(await imageList(context, values)));
  image
    .command('rm')
    .description('removes images and what only they used')
    .argument('<image...>')
    .addOption(stateDir())
    .addOption(flag('--force', 'also the last name of an image that containers use'))
    .action(async (names: string[], values: { stateDir: string; force?: boolean }) => {
      const force = isOn(context, '--force', values.force) ?? false;
      run(await imageRemove(context, names, { stateDir: values.stateDir, force }));
    });
}

function dockerConfig({ env }: CliContext): string {
  return path.join(env['DOCKER_CONFIG'] ?? path.join(homedir(), '.docker'), 'config.json');
}

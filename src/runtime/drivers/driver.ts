/**
 * What the node agent asks of a container runtime. Containers are named by an id; their state lives with the runtime,
 * so a driver that is made anew finds them all again.
 */
export interface StartRequest {
  readonly id: string;
  /** Directory with `config.json`. */
  readonly bundle: string;
  /** Open file descriptors that become the container's; the caller closes its own. */
  readonly stdin: number;
  readonly stdout: number;
  readonly stderr: number;
  /** Where the runtime hands over the container's terminal; only for one that is to have a terminal. */
  readonly consoleSocket?: string | undefined;
  /** A descriptor that the runtime's process keeps open for as long as it is at work, and the container never sees. */
  readonly lock: number;
}

export interface ContainerState {
  readonly id: string;
  readonly status: 'creating' | 'created' | 'running' | 'paused' | 'stopped';
  /** Pid of the container's first process; 0 when it has stopped. */
  readonly pid: number;
  readonly bundle: string;
}

export interface ExecRequest {
  readonly id: string;
  readonly args: readonly string[];
  readonly env?: readonly string[];
  readonly cwd?: string;
  readonly user?: string;
  /** Descriptors for the command, or `null` for nothing. With `tty` they are one terminal, which the runtime copies. */
  readonly stdin: number | null;
  readonly stdout: number | null;
  readonly stderr: number | null;
  readonly tty: boolean;
}

export interface ExecProcess {
  /** Pid of the runtime's own process, which passes on signals and window sizes. */
  readonly pid: number;
  /** Resolves with the exit code; 128 + signal when a signal ended it. Rejects when the runtime could not be run. */
  readonly exit: Promise<number>;
  /** Why the command was not started at all; known as soon as the runtime prints that, and after `exit`. */
  startFailure(): string | undefined;
  /** SIGKILL ends the command itself, as any other signal may. */
  kill(signal: NodeJS.Signals): void;
}

export interface ContainerDriver {
  /** `runc 1.1.5` */
  readonly description: string;
  /**
   * Creates and starts; resolves with the pid of the first process once it runs. Cannot be called off: a runtime that is
   * killed half-way leaves half a container.
   */
  start(request: StartRequest): Promise<number>;
  /** Whether anything is kept of a container of that id. */
  isKnown(id: string): boolean;
  /** Sends a signal to the first process; nothing happens when it is gone. */
  kill(id: string, signal: string, abort: AbortSignal): Promise<void>;
  /** Removes what the runtime keeps of a container, killing it first when it still runs. */
  remove(id: string, signal: AbortSignal): Promise<void>;
  list(signal: AbortSignal): Promise<ContainerState[]>;
  exec(request: ExecRequest): ExecProcess;
}

/** The runtime said no; `message` is what it printed. */
export class RuntimeError extends Error {
  override readonly name = 'RuntimeError';
  readonly command: string;

  constructor(command: string, message: string, options: { cause?: unknown } = {}) {
    super(message, options);
    this.command = command;
  }
}

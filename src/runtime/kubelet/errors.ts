/**
 * What the endpoint refuses, in the kubelet's words: plain text with a code, as the API server expects it and passes
 * it on. Clients and people look for these texts.
 */
export class KubeletError extends Error {
  override readonly name = 'KubeletError';
  readonly code: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: number, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.code = code;
    this.headers = headers;
  }
}

/** The client left before it was served: nobody to tell, nothing to report. */
export class ClientGoneError extends Error {
  override readonly name = 'ClientGoneError';
}

export function pageNotFound(): KubeletError {
  return new KubeletError(404, '404 page not found');
}

export function methodNotAllowed(): KubeletError {
  return new KubeletError(405, '405: Method Not Allowed');
}

export function upgradeRequired(): KubeletError {
  return new KubeletError(400, 'Upgrade request required');
}

export function badUpgrade(why: string): KubeletError {
  return new KubeletError(400, `unable to upgrade: ${why}`);
}

export function protocolsNotSupported(requested: readonly string[], supported: readonly string[]): KubeletError {
  const shown = (names: readonly string[]) => `[${names.join(' ')}]`;
  const why = `unable to negotiate protocol: client supports ${shown(requested)}, server accepts ${shown(supported)}`;
  const headers = { 'X-Accepted-Stream-Protocol-Versions': supported.filter((name) => name !== '').join(', ') };
  return new KubeletError(403, `unable to upgrade: ${why}`, headers);
}

export function badQuery(why: string): KubeletError {
  return new KubeletError(400, why);
}

/** For exec, attach and port-forward. */
export function podDoesNotExist(): KubeletError {
  return new KubeletError(404, 'pod does not exist');
}

/** For logs. */
export function noSuchPod(pod: string): KubeletError {
  return new KubeletError(404, `pod ${JSON.stringify(pod)} does not exist`);
}

export function noSuchContainer(container: string, pod: string): KubeletError {
  return new KubeletError(404, `container ${JSON.stringify(container)} not found in pod ${JSON.stringify(pod)}`);
}

export function nothingToExecIn(container: string): KubeletError {
  return new KubeletError(500, `container not found (${JSON.stringify(container)})`);
}

export function nothingToAttachTo(container: string, podFullName: string): KubeletError {
  return new KubeletError(500, `container ${container} not found in pod ${podFullName}`);
}

export function nothingToForwardTo(podFullName: string): KubeletError {
  return new KubeletError(500, `pod not found (${JSON.stringify(podFullName)})`);
}

export function noPreviousLog(container: string, pod: string): KubeletError {
  return new KubeletError(400, `previous terminated container ${quoted(container, pod)} not found`);
}

const PULL_FAILURES: Readonly<Record<string, string>> = {
  ErrImagePull: "image can't be pulled",
  ImagePullBackOff: 'trying and failing to pull image',
};

export function noLogYet(container: string, pod: string, reason: string): KubeletError {
  const why = PULL_FAILURES[reason] ?? reason;
  return new KubeletError(400, `container ${quoted(container, pod)} is waiting to start: ${why}`);
}

export function noLogLeft(container: string, pod: string): KubeletError {
  return new KubeletError(400, `container ${quoted(container, pod)} is terminated`);
}

function quoted(container: string, pod: string): string {
  return `${JSON.stringify(container)} in pod ${JSON.stringify(pod)}`;
}

/**
 * Requests that ask about the data plane and never reach an application (facts: 8 and observed, section 7): kubelet
 * probes, the ingress prober's question which version of a route is served, and the activator's own probe.
 */
import { ANSWERS, badProbe } from '#dataplane/gateway/errors.ts';
import { NAME } from '#dataplane/gateway/names.ts';
import type { LocalAnswer } from '#dataplane/proxy/exchange.ts';
import type { RequestHead } from '#dataplane/proxy/request-head.ts';

/** Asks for the hash of the route itself instead of an echo. */
const OVERRIDE = 'override';
const KUBE_PROBE = 'kube-probe/';

/** The answer to a probe, or undefined for an ordinary request. `hash`: of the route that serves the host. */
export function answerProbe(head: RequestHead, hash: string): LocalAnswer | undefined {
  const { fields } = head;
  let probed = false;
  for (let i = 0; i < fields.count; i += 1) {
    const id = fields.ids[i] as number;
    if (id === NAME.kubeletProbe || (id === NAME.userAgent && startsWith(head, i, KUBE_PROBE))) return ANSWERS.ready;
    probed ||= id === NAME.networkProbe;
  }
  return probed ? answerNetworkProbe(head, hash) : undefined;
}

function answerNetworkProbe(head: RequestHead, hash: string): LocalAnswer | undefined {
  const probe = head.value(NAME.networkProbe) ?? '';
  switch (probe) {
    case '':
      return undefined;
    case 'probe':
      return answerHash(head.value(NAME.networkHash) ?? '', hash);
    case 'activator':
      return { status: 200, headers: [['Content-Type', 'text/plain; charset=utf-8']], body: 'activator' };
    default:
      return badProbe(`unexpected probe header value: ${JSON.stringify(probe)}`);
  }
}

function answerHash(asked: string, hash: string): LocalAnswer {
  if (asked === '') return badProbe('a probe request must contain a non-empty "K-Network-Hash" header');
  return { status: 200, headers: [['K-Network-Hash', asked === OVERRIDE ? hash : asked]] };
}

function startsWith(head: RequestHead, index: number, text: string): boolean {
  const start = head.fields.valueStart(index);
  if (head.fields.valueEnd(index) - start < text.length) return false;
  for (let i = 0; i < text.length; i += 1) if (head.buf[start + i] !== text.charCodeAt(i)) return false;
  return true;
}

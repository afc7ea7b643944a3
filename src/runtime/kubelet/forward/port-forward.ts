/** Forwards connections of a client to ports of a pod, in whichever form the client speaks. */
import { type KubeletBackend, podFullName } from '#runtime/kubelet/backend.ts';
import { nothingToForwardTo, podDoesNotExist } from '#runtime/kubelet/errors.ts';
import { forwardChannels, portsOf } from '#runtime/kubelet/forward/channel-forward.ts';
import { connectToPod, type ForwardTo } from '#runtime/kubelet/forward/pod-connection.ts';
import { StreamPairs } from '#runtime/kubelet/forward/stream-pairs.ts';
import type { PodTarget } from '#runtime/kubelet/request.ts';
import type { Sandbox } from '#runtime/pod/state.ts';
import { acceptSpdy } from '#runtime/kubelet/spdy/upgrade.ts';
import { WebSocketBytes } from '#runtime/kubelet/websocket/byte-duplex.ts';
import { acceptWebSocket, isWebSocket, requestedProtocols, type Upgrade } from '#runtime/kubelet/websocket/upgrade.ts';
import { uidOf } from '#kube/object.ts';

const PROTOCOL = 'portforward.k8s.io';

/** SPDY inside a WebSocket, kubectl's way from 1.31 on. */
const TUNNEL_PROTOCOL = `SPDY/3.1+${PROTOCOL}`;

export async function servePortForward(backend: KubeletBackend, upgrade: Upgrade, target: PodTarget): Promise<void> {
  const { clock } = backend;
  const forward = forwarderTo(backend, target);
  if (!isWebSocket(upgrade.request)) {
    return new StreamPairs(acceptSpdy(upgrade, [PROTOCOL]), clock, forward).run();
  }
  if (!requestedProtocols(upgrade.request).includes(TUNNEL_PROTOCOL)) {
    return forwardChannels({ upgrade, ports: portsOf(target.query), clock }, forward);
  }
  const socket = await acceptWebSocket(upgrade, TUNNEL_PROTOCOL);
  return new StreamPairs(new WebSocketBytes(socket, clock), clock, forward).run();
}

function forwarderTo(backend: KubeletBackend, target: PodTarget): ForwardTo {
  const found = backend.findPod(target.namespace, target.pod);
  if (!found) throw podDoesNotExist();
  if (!found.sandbox) throw nothingToForwardTo(podFullName(found.pod));
  const uid = uidOf(found.pod);
  return async (port, signal) => {
    try {
      return await connectToPod({ sandbox: sandboxOf(backend, target, uid), port }, backend.clock, signal);
    } catch (error) {
      const message = `error forwarding port ${port} to pod ${uid}, uid : ${(error as Error).message}`;
      throw new Error(message, { cause: error });
    }
  };
}

/** Looked up for each connection: once the pod has ended, its address may be another's. */
function sandboxOf(backend: KubeletBackend, { namespace, pod }: PodTarget, uid: string): Sandbox {
  const found = backend.findPod(namespace, pod);
  if (!found?.sandbox || uidOf(found.pod) !== uid) throw nothingToForwardTo(`${pod}_${namespace}`);
  return found.sandbox;
}

/** Opens the session that a client asks for and does what it wants in it. */
import { KubeletError } from '#runtime/kubelet/errors.ts';
import { isVersion5, openChannelSession } from '#runtime/kubelet/remote/channel-session.ts';
import type { Outcome } from '#runtime/kubelet/remote/outcome.ts';
import type { RemoteRequest, RemoteSession } from '#runtime/kubelet/remote/session.ts';
import { openSpdySession } from '#runtime/kubelet/remote/spdy-session.ts';
import { isWebSocket } from '#runtime/kubelet/websocket/upgrade.ts';

type Work = (session: RemoteSession) => Promise<Outcome>;

/**
 * Does `work` for the client. `prepare` checks whether that can be done at all; when it throws a KubeletError the
 * client is not served. A client of version 5 learns of that in the session, any other as the answer to its request.
 */
export async function serveSession(request: RemoteRequest, prepare: () => Work): Promise<void> {
  const work = refusable(prepare, request);
  const session = await openSession(request);
  await session.finish(await work(session).catch(failed));
}

function failed(error: unknown): Outcome {
  return { type: 'failed', message: error instanceof Error ? error.message : String(error) };
}

function refusable(prepare: () => Work, { upgrade }: RemoteRequest): Work {
  try {
    return prepare();
  } catch (error) {
    if (!(error instanceof KubeletError) || !isVersion5(upgrade.request)) throw error;
    return () => Promise.resolve({ type: 'refused', message: error.message });
  }
}

function openSession(request: RemoteRequest): Promise<RemoteSession> {
  return isWebSocket(request.upgrade.request) ? openChannelSession(request) : openSpdySession(request);
}

/** Until there is a platform with an image to run. */
import { ensureRuntime, type Runtime } from '../machine.ts';
import { type Stage, platformStatus, shown } from '../tour.ts';

const IMAGE = 'dev.local/greeter:1';
const HTTP_PORT = '80';

export async function findKubectl({ shell, signal }: Stage): Promise<boolean> {
  return (await shell.run('command -v kubectl', signal)).code === 0;
}

export async function checkMachine(stage: Stage): Promise<Runtime> {
  const runtime = await ensureRuntime(stage);
  await shown(stage, './bin/pinnace doctor');
  return runtime;
}

export async function startPlatform(stage: Stage): Promise<string> {
  const { screen, stateDir } = stage;
  screen.command(`export PINNACE_STATE_DIR=${stateDir}`);
  await shown(stage, './bin/pinnace up --wait');
  screen.command(`export KUBECONFIG=${stateDir}/kubeconfig`);
  const { gateway, processes } = await platformStatus(stage);
  const port = new URL(gateway.http).port || HTTP_PORT;
  if (port !== HTTP_PORT) screen.note(`Port ${HTTP_PORT} is taken on this machine, so URLs here end in :${port}.`);
  return `Kubernetes API, Knative and gateway in ${processes.length} processes, apart from any other platform`;
}

interface ListedImage {
  readonly name: string;
  readonly size: number;
}

export async function buildImage(stage: Stage): Promise<string> {
  await shown(stage, './samples/greeter/build.sh | ./bin/pinnace image load -');
  const { stdout } = await stage.shell.run('./bin/pinnace image list -o json', stage.signal);
  const size = (JSON.parse(stdout) as ListedImage[]).find(({ name }) => name === IMAGE)?.size ?? 0;
  return `built and unpacked, without a registry: ${Math.round(size / 1024 ** 2)} MiB, nearly all of it Node`;
}

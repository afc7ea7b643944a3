/** The order of the steps, and what is said before and after them. */
import { renderDuration } from '#cli/output.ts';
import type { Screen } from './screen.ts';
import { removePlatform, removeService } from './steps/departure.ts';
import { ask, deploy, scaleToZero, startFromZero } from './steps/deployment.ts';
import { buildImage, checkMachine, findKubectl, startPlatform } from './steps/preparation.ts';
import { split, stageSecond } from './steps/rollout.ts';
import { enterTour, type Stage, urlOf } from './tour.ts';

export interface WalkOptions {
  /** What becomes of the platform at the end. */
  readonly atTheEnd: 'remove' | 'keep';
  /** Where earlier demos left a platform. */
  readonly earlier: readonly string[];
}

export async function walk(stage: Stage, { atTheEnd, earlier }: WalkOptions): Promise<void> {
  const { screen, clock, stateDir } = stage;
  const startedAt = clock.monotonicMs();
  const step = async (title: string, work: () => Promise<string>) => {
    screen.step(title);
    screen.ok(await work());
  };
  const hasKubectl = await findKubectl(stage);
  welcome(screen, { hasKubectl, earlier });
  screen.step('This machine');
  const runtime = await checkMachine(stage);
  screen.ok(`a platform can run here, on ${runtime.version}`);
  await step('A platform of its own', () => startPlatform(stage));
  using tour = await enterTour(stage, { hasKubectl, runtime: runtime.name });
  await step('An image, built from source', () => buildImage(stage));
  await step('A Knative Service', () => deploy(tour));
  await step('A request', () => ask(tour));
  await step('No traffic: to zero', () => scaleToZero(tour));
  await step('A request at zero', () => startFromZero(tour));
  await step('A second version', () => stageSecond(tour));
  await step('Blue and green', () => split(tour));
  const url = await urlOf(tour);
  if (atTheEnd === 'remove') {
    await step('The Service goes', () => removeService(tour));
    await step('The platform goes', () => removePlatform(stage));
  }
  screen.blank();
  screen.title(`Every step held. ${renderDuration(clock.monotonicMs() - startedAt)} in all.`);
  if (runtime.isNew) screen.paragraph('runc stays installed; apt-get remove runc takes it away again.');
  screen.blank();
  if (atTheEnd === 'keep') sayHowToUse(screen, { stateDir, url });
  else sayWhatNext(screen);
  if (!hasKubectl) screen.paragraph('kubectl: https://kubernetes.io/docs/tasks/tools/');
}

function welcome(screen: Screen, { hasKubectl, earlier }: { hasKubectl: boolean; earlier: readonly string[] }): void {
  screen.title('Pinnace: a Knative Service from its manifest to zero and back, on real containers');
  screen.blank();
  screen.paragraph(
    'Lines with $ are commands as you would type them in this folder, followed by what they printed. What curl would ' +
      'send, the demo sends itself, to time it.',
  );
  if (!hasKubectl)
    screen.paragraph('kubectl is not installed here, so the demo sends its requests itself too, over HTTPS.');
  for (const stateDir of earlier) {
    screen.paragraph(`There is a platform of an earlier demo in ${stateDir}, which is left alone. To remove it:`);
    screen.output(`./bin/pinnace down --purge --state-dir ${stateDir}`);
  }
}

function sayWhatNext(screen: Screen): void {
  screen.paragraph('Try next, as root:');
  screen.output(
    commands([
      ['./bin/pinnace up --wait', 'a platform that stays, until “down”'],
      ['export KUBECONFIG=$(./bin/pinnace kubeconfig --path)', 'for kubectl, kn, k9s, …'],
      ['./samples/greeter/build.sh | ./bin/pinnace image load -', 'the image of this demo'],
      ['kubectl apply -f samples/greeter/service.yaml', 'the Service, or one of yours'],
      ['kubectl get ksvc', 'its URL, for curl or a browser'],
      ['npm run demo -- --keep', 'this demo again, left running'],
    ]),
  );
}

function sayHowToUse(screen: Screen, { stateDir, url }: { stateDir: string; url: string }): void {
  screen.paragraph(`The platform keeps running in ${stateDir}. To use it, as root:`);
  screen.output(
    commands([
      [`export PINNACE_STATE_DIR=${stateDir}`, 'for ./bin/pinnace'],
      [`export KUBECONFIG=${stateDir}/kubeconfig`, 'for kubectl, kn, k9s, …'],
      ['kubectl get ksvc,revisions,pods', 'what there is'],
      [`curl ${url}`, 'ask it; at zero it starts'],
      ['./bin/pinnace status', 'what runs, and where'],
    ]),
  );
  screen.paragraph('To stop it and remove all that it made:');
  screen.output(`./bin/pinnace down --purge --state-dir ${stateDir}`);
}

/** Commands, and beside them what they are for. */
function commands(rows: readonly (readonly [string, string])[]): string {
  const columns = Math.max(...rows.map(([command]) => command.length)) + 3;
  return rows.map(([command, purpose]) => `${command.padEnd(columns)}${purpose}`).join('\n');
}

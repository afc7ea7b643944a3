/** What a Deployment wants and has. */
import { podTemplateSpecSchema } from '#kube/kinds/core/pod-spec.ts';
import { labelSelectorSchema } from '#kube/kinds/meta/label-selector.ts';
import {
  boolean,
  documented,
  embedded,
  type Infer,
  int32,
  int64,
  intOrString,
  listMap,
  nullPointer,
  object,
  oneOf,
  pointer,
  refine,
  required,
  string,
  time,
} from '#kube/schema.ts';

const rollingUpdateDeploymentSchema = object(
  {
    maxUnavailable: intOrString('Pods that may be missing, as a number or a percentage.'),
    maxSurge: intOrString('Pods that may be there in addition, as a number or a percentage.'),
  },
  { name: 'io.k8s.api.apps.v1.RollingUpdateDeployment', doc: 'Pace of a rolling update.' },
);

const deploymentStrategySchema = object(
  {
    type: oneOf(['Recreate', 'RollingUpdate'], 'Recreate or RollingUpdate.'),
    rollingUpdate: documented(rollingUpdateDeploymentSchema, 'Pace, for RollingUpdate.'),
  },
  { name: 'io.k8s.api.apps.v1.DeploymentStrategy', doc: 'How old pods are replaced.' },
);
export type DeploymentStrategy = Infer<typeof deploymentStrategySchema>;

export const deploymentSpecSchema = object(
  {
    replicas: pointer(int32('How many pods; 1 by default.')),
    selector: required(
      nullPointer(documented(labelSelectorSchema, "Labels of the pods; they must match the template's.")),
    ),
    template: required(documented(podTemplateSpecSchema, 'The pods that are made.')),
    strategy: refine(embedded(documented(deploymentStrategySchema, 'How old pods are replaced.')), {
      patchStrategy: 'retainKeys',
    }),
    minReadySeconds: int32('Seconds that a pod must be ready before it counts as available.'),
    revisionHistoryLimit: pointer(int32('How many old ReplicaSets are kept.')),
    paused: boolean('Stops rollouts.'),
    progressDeadlineSeconds: pointer(int32('Seconds without progress after which the rollout counts as failed.')),
  },
  { name: 'io.k8s.api.apps.v1.DeploymentSpec', doc: 'Which pods are wanted.' },
);
export type DeploymentSpec = Infer<typeof deploymentSpecSchema>;

const deploymentConditionSchema = object(
  {
    type: required(string('Aspect, such as Available.')),
    status: required(string('True, False or Unknown.')),
    lastUpdateTime: embedded(time('When it was last updated.')),
    lastTransitionTime: embedded(time('When the status last changed.')),
    reason: string('Cause of the last change, one CamelCase word.'),
    message: string('Cause of the last change, in a sentence.'),
  },
  { name: 'io.k8s.api.apps.v1.DeploymentCondition', doc: "One aspect of the deployment's state." },
);
export type DeploymentCondition = Infer<typeof deploymentConditionSchema>;

export const deploymentStatusSchema = object(
  {
    observedGeneration: int64('Generation of the spec that the controller has seen.'),
    replicas: int32('Pods that are not ending.'),
    updatedReplicas: int32('Pods of the present template.'),
    readyReplicas: int32('Pods that are ready.'),
    availableReplicas: int32('Pods that have been ready for long enough.'),
    unavailableReplicas: int32('Pods that are still missing.'),
    terminatingReplicas: pointer(int32('Pods that are ending.')),
    conditions: listMap(deploymentConditionSchema, { keys: ['type'] }, 'Aspects of its state.'),
    collisionCount: pointer(int32('How often a name had to be drawn again.')),
  },
  { name: 'io.k8s.api.apps.v1.DeploymentStatus', doc: 'What is known of the deployment.' },
);
export type DeploymentStatus = Infer<typeof deploymentStatusSchema>;

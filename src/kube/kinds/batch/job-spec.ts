/** What a Job runs and how it went. */
import { podTemplateSpecSchema } from '#kube/kinds/core/pod-spec.ts';
import { labelSelectorSchema } from '#kube/kinds/meta/label-selector.ts';
import {
  boolean,
  documented,
  embedded,
  type Infer,
  int32,
  int64,
  list,
  object,
  oneOf,
  pointer,
  refine,
  required,
  set,
  string,
  time,
} from '#kube/schema.ts';

const podFailurePolicyOnExitCodesRequirementSchema = object(
  {
    containerName: pointer(string('Container whose code counts; any when absent.')),
    operator: required(oneOf(['In', 'NotIn'], 'Whether the code must be, or must not be, among the values.')),
    values: required(refine(set(int32(), 'Exit codes.'), { patchStrategy: undefined })),
  },
  { name: 'io.k8s.api.batch.v1.PodFailurePolicyOnExitCodesRequirement', doc: 'A rule about exit codes.' },
);

const podFailurePolicyOnPodConditionsPatternSchema = object(
  {
    type: required(string('Type of the condition.')),
    status: required(string('Status that the condition must have.')),
  },
  { name: 'io.k8s.api.batch.v1.PodFailurePolicyOnPodConditionsPattern', doc: "A rule about a pod's condition." },
);

const podFailurePolicyRuleSchema = object(
  {
    action: required(oneOf(['Count', 'FailIndex', 'FailJob', 'Ignore'], 'What is done.')),
    onExitCodes: documented(podFailurePolicyOnExitCodesRequirementSchema, 'Exit codes that the rule is about.'),
    onPodConditions: list(podFailurePolicyOnPodConditionsPatternSchema, 'Conditions that the rule is about.'),
  },
  { name: 'io.k8s.api.batch.v1.PodFailurePolicyRule', doc: 'What to do when a pod fails in a certain way.' },
);

const podFailurePolicySchema = object(
  {
    rules: required(list(podFailurePolicyRuleSchema, 'Rules; the first that fits decides.')),
  },
  { name: 'io.k8s.api.batch.v1.PodFailurePolicy', doc: 'How failures of pods count.' },
);

const successPolicyRuleSchema = object(
  {
    succeededIndexes: pointer(string('Indexes that must have succeeded.')),
    succeededCount: pointer(int32('How many indexes must have succeeded.')),
  },
  { name: 'io.k8s.api.batch.v1.SuccessPolicyRule', doc: 'When an indexed job has succeeded early.' },
);

const successPolicySchema = object(
  {
    rules: required(list(successPolicyRuleSchema, 'Rules; the first that fits decides.')),
  },
  { name: 'io.k8s.api.batch.v1.SuccessPolicy', doc: 'When a job has succeeded before all its pods have.' },
);

export const jobSpecSchema = object(
  {
    parallelism: pointer(int32('How many pods run at once.')),
    completions: pointer(int32('How many pods must succeed.')),
    activeDeadlineSeconds: pointer(int64('Seconds after which the job is failed.')),
    podFailurePolicy: documented(podFailurePolicySchema, 'How failures of pods count.'),
    successPolicy: documented(successPolicySchema, 'When the job has succeeded early.'),
    backoffLimit: pointer(int32('How many failures make the job fail; 6 by default.')),
    backoffLimitPerIndex: pointer(int32('How many failures make an index fail.')),
    maxFailedIndexes: pointer(int32('How many failed indexes make the job fail.')),
    selector: documented(labelSelectorSchema, 'Labels of the pods; made by the server.'),
    manualSelector: pointer(boolean('Lets the user write the selector.')),
    template: required(documented(podTemplateSpecSchema, 'The pods that are made.')),
    ttlSecondsAfterFinished: pointer(int32('Seconds after its end at which the job is deleted.')),
    completionMode: pointer(oneOf(['Indexed', 'NonIndexed'], 'Whether pods have an index.')),
    suspend: pointer(boolean('Keeps pods from running.')),
    podReplacementPolicy: pointer(oneOf(['Failed', 'TerminatingOrFailed'], 'When an ending pod is replaced.')),
    managedBy: pointer(string('Controller that runs the job.')),
  },
  { name: 'io.k8s.api.batch.v1.JobSpec', doc: 'What the job runs.' },
);
export type JobSpec = Infer<typeof jobSpecSchema>;

const jobConditionSchema = object(
  {
    type: required(string('Aspect, such as Complete or Failed.')),
    status: required(string('True, False or Unknown.')),
    lastProbeTime: embedded(time('When it was last checked.')),
    lastTransitionTime: embedded(time('When the status last changed.')),
    reason: string('Cause of the last change, one CamelCase word.'),
    message: string('Cause of the last change, in a sentence.'),
  },
  { name: 'io.k8s.api.batch.v1.JobCondition', doc: "One aspect of the job's state." },
);

const uncountedTerminatedPodsSchema = object(
  {
    succeeded: refine(set(string(), 'UIDs of those that succeeded.'), { patchStrategy: undefined }),
    failed: refine(set(string(), 'UIDs of those that failed.'), { patchStrategy: undefined }),
  },
  { name: 'io.k8s.api.batch.v1.UncountedTerminatedPods', doc: 'Pods that have ended but are not in the counters yet.' },
);

export const jobStatusSchema = object(
  {
    conditions: refine(list(jobConditionSchema, 'Aspects of its state.'), {
      patchMergeKey: 'type',
      patchStrategy: 'merge',
    }),
    startTime: time('When the job was started.'),
    completionTime: time('When the job succeeded.'),
    active: int32('Pods that run or wait.'),
    succeeded: int32('Pods that succeeded.'),
    failed: int32('Pods that failed.'),
    terminating: pointer(int32('Pods that are ending.')),
    completedIndexes: string('Indexes that succeeded, as ranges.'),
    failedIndexes: pointer(string('Indexes that failed, as ranges.')),
    uncountedTerminatedPods: documented(uncountedTerminatedPodsSchema, 'Pods that are not in the counters yet.'),
    ready: pointer(int32('Pods that are ready.')),
  },
  { name: 'io.k8s.api.batch.v1.JobStatus', doc: 'What is known of the job.' },
);
export type JobStatus = Infer<typeof jobStatusSchema>;

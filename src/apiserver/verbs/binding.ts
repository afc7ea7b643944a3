/** POST of `pods/NAME/binding`: the scheduler's word on which node a pod runs. */
import { clone, isObject } from '#base/json.ts';
import { requiredField, notSupportedField } from '#kube/field-error.ts';
import { Pod } from '#kube/kinds/core/pod.ts';
import type { PodCondition } from '#kube/kinds/core/pod-status.ts';
import { isBeingDeleted, type KubeObject, type ObjectMeta } from '#kube/object.ts';
import { conflict, invalid, type Status } from '#kube/status.ts';
import { formatTime } from '#kube/time.ts';
import type { Api } from '#apiserver/api.ts';
import { bodyView } from '#apiserver/admission/body-view.ts';
import { changeObject } from '#apiserver/change.ts';
import type { Caller } from '#apiserver/user.ts';
import type { CreateRequest } from '#apiserver/verbs/create.ts';

const BINDING = { group: '', version: 'v1', kind: 'Binding' };

export async function bindPod(api: Api, { target, body, options }: CreateRequest, caller: Caller): Promise<Status> {
  const node = nodeOf(body.value, target.name);
  const { uid, annotations } = metadataOf(body.value);
  const change = (current: KubeObject): KubeObject => {
    const pod = clone(current) as Pod;
    const problem = unbindable(pod, node);
    if (problem !== undefined) throw conflict({ group: '', plural: 'pods/binding' }, target.name, problem);
    if (uid && uid !== pod.metadata.uid) throw conflict(Pod, target.name, otherUid(uid, pod));
    pod.spec.nodeName = node;
    if (annotations) pod.metadata.annotations = { ...pod.metadata.annotations, ...annotations };
    setScheduled(pod, formatTime(api.clock.now()));
    return pod;
  };
  // Nobody comes to own what the scheduler says.
  await changeObject(
    api,
    { target, options, change, ownership: 'set', view: bodyView('binding', BINDING, body) },
    caller,
  );
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 };
}

function metadataOf(body: unknown): ObjectMeta {
  return isObject(body) && isObject(body['metadata']) ? body['metadata'] : {};
}

function otherUid(uid: string, pod: Pod): string {
  return `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${pod.metadata.uid}`;
}

function nodeOf(body: unknown, name: string): string {
  const target = isObject(body) && isObject(body['target']) ? body['target'] : {};
  const { kind, name: node } = target;
  const errors = [
    ...(kind === undefined || kind === '' || kind === 'Node' || kind === 'Minion'
      ? []
      : [notSupportedField('target.kind', kind, ['Node', '<empty>'])]),
    ...(typeof node === 'string' && node !== '' ? [] : [requiredField('target.name')]),
  ];
  if (errors.length > 0) throw invalid({ group: '', kind: 'Binding' }, name, errors);
  return String(node);
}

function unbindable(pod: Pod, node: string): string | undefined {
  const { name } = pod.metadata;
  if (isBeingDeleted(pod)) return `pod ${name} is being deleted, cannot be assigned to a host`;
  if (pod.spec.nodeName) return `pod ${name} is already assigned to node ${JSON.stringify(pod.spec.nodeName)}`;
  if ((pod.spec.schedulingGates ?? []).length > 0) return `pod ${name} has non-empty .spec.schedulingGates`;
  return node === '' ? 'no node' : undefined;
}

function setScheduled(pod: Pod, now: string): void {
  const conditions = pod.status?.conditions ?? [];
  const scheduled: PodCondition = {
    type: 'PodScheduled',
    status: 'True',
    lastProbeTime: null,
    lastTransitionTime: now,
  } as unknown as PodCondition;
  const others = conditions.filter(({ type }) => type !== 'PodScheduled');
  pod.status = { ...pod.status, conditions: [...others, scheduled] };
}

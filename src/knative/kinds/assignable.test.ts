/**
 * What a Revision says goes into a pod as it is: what ours has must be in core, by name for the runtime and by type for
 * the compiler.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Container as CoreContainer, containerSchema as coreContainer } from '#kube/kinds/core/container.ts';
import { type PodSpec, podSpecSchema } from '#kube/kinds/core/pod-spec.ts';
import type { Schema } from '#kube/schema.ts';
import { containerSchema } from '#knative/kinds/container.ts';
import { type Container, type RevisionSpec, revisionSpecSchema } from '#knative/kinds/revision-spec.ts';

type Assignable<From extends To, To> = [From, To];

export type Proof = [Assignable<Container, CoreContainer>, Assignable<RevisionSpec, PodSpec>];

/** Knative's own, which no pod has. */
const OF_REVISIONS = ['containerConcurrency', 'timeoutSeconds', 'responseStartTimeoutSeconds', 'idleTimeoutSeconds'];

function namesOf(schema: Schema): string[] {
  assert.ok('properties' in schema && schema.properties);
  return Object.keys(schema.properties);
}

test('every field of a container of ours is one of core', () => {
  assert.deepEqual(new Set(namesOf(containerSchema)).difference(new Set(namesOf(coreContainer))), new Set());
});

test('every field of a Revision is one of a pod, or known to be Knative’s own', () => {
  const others = new Set(namesOf(revisionSpecSchema)).difference(new Set(namesOf(podSpecSchema)));
  assert.deepEqual(others, new Set(OF_REVISIONS));
});

/** What a Revision says goes into a pod as it is: our types must be those of core. Checked by the compiler. */
import { test } from 'node:test';
import type { Container as CoreContainer } from '#kube/kinds/core/container.ts';
import type { PodSpec } from '#kube/kinds/core/pod-spec.ts';
import type { Container, RevisionSpec } from '#knative/kinds/revision-spec.ts';

type Assignable<From extends To, To> = [From, To];

export type Proof = [Assignable<Container, CoreContainer>, Assignable<RevisionSpec, PodSpec>];

test('the compiler agrees', () => undefined);

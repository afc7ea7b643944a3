import { defineKind, type ObjectOf } from '#kube/kind.ts';
import { jobSpecSchema, jobStatusSchema } from '#kube/kinds/batch/job-spec.ts';
import { always, embedded } from '#kube/schema.ts';

export const Job = defineKind({
  apiVersion: 'batch/v1',
  kind: 'Job',
  plural: 'jobs',
  categories: ['all'],
  doc: 'Runs pods until enough of them have succeeded.',
  properties: {
    spec: always(jobSpecSchema),
    status: embedded(jobStatusSchema),
  },
});
export type Job = ObjectOf<typeof Job>;

/** Label selectors as objects: which objects a controller or a service means. */
import { type Infer, list, map, object, required, string } from '#kube/schema.ts';

export const labelSelectorRequirementSchema = object(
  {
    key: required(string('Key of the label.')),
    operator: required(string("How the label's value relates to the values.")),
    values: list(string(), 'Values for In and NotIn; empty for Exists and DoesNotExist.'),
  },
  { name: 'io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelectorRequirement', doc: 'One rule about one label.' },
);

export const labelSelectorSchema = object(
  {
    matchLabels: map(string(), 'Labels that must have exactly these values.'),
    matchExpressions: list(labelSelectorRequirementSchema, 'Rules that must hold as well.'),
  },
  {
    name: 'io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelector',
    doc: 'A choice of objects by their labels: every part must hold; an empty selector chooses all.',
    atomic: true,
  },
);
export type LabelSelector = Infer<typeof labelSelectorSchema>;

/** What a HorizontalPodAutoscaler looks at. */
import { labelSelectorSchema } from '#kube/kinds/meta/label-selector.ts';
import { documented, type Infer, int32, object, pointer, quantity, required, string } from '#kube/schema.ts';

export const crossVersionObjectReferenceSchema = object(
  {
    kind: required(string('Kind of the object.')),
    name: required(string('Name of the object.')),
    apiVersion: string('API version of the object.'),
  },
  { name: 'io.k8s.api.autoscaling.v2.CrossVersionObjectReference', doc: 'An object in the same namespace.' },
);

const metricIdentifierSchema = object(
  {
    name: required(string('Name of the metric.')),
    selector: documented(labelSelectorSchema, 'Which series of it are meant.'),
  },
  { name: 'io.k8s.api.autoscaling.v2.MetricIdentifier', doc: 'A metric.' },
);

const metricTargetSchema = object(
  {
    type: required(string('How the target is given.')),
    value: quantity('The value itself.'),
    averageValue: quantity('The value per pod.'),
    averageUtilization: pointer(int32('Percentage of the requested resources, over all pods.')),
  },
  { name: 'io.k8s.api.autoscaling.v2.MetricTarget', doc: 'Value to hold.' },
);
export type MetricTarget = Infer<typeof metricTargetSchema>;

const metricValueStatusSchema = object(
  {
    value: quantity('The value itself.'),
    averageValue: quantity('The value per pod.'),
    averageUtilization: pointer(int32('Percentage of the requested resources, over all pods.')),
  },
  { name: 'io.k8s.api.autoscaling.v2.MetricValueStatus', doc: 'Value that was seen.' },
);
export type MetricValueStatus = Infer<typeof metricValueStatusSchema>;

const objectMetricSourceSchema = object(
  {
    describedObject: required(documented(crossVersionObjectReferenceSchema, 'The object.')),
    target: required(documented(metricTargetSchema, 'Value to hold.')),
    metric: required(documented(metricIdentifierSchema, 'The metric.')),
  },
  { name: 'io.k8s.api.autoscaling.v2.ObjectMetricSource', doc: 'A metric of one object.' },
);

const podsMetricSourceSchema = object(
  {
    metric: required(documented(metricIdentifierSchema, 'The metric.')),
    target: required(documented(metricTargetSchema, 'Value to hold.')),
  },
  { name: 'io.k8s.api.autoscaling.v2.PodsMetricSource', doc: 'A metric of each pod.' },
);

const resourceMetricSourceSchema = object(
  {
    name: required(string('Name of the resource.')),
    target: required(documented(metricTargetSchema, 'Value to hold.')),
  },
  { name: 'io.k8s.api.autoscaling.v2.ResourceMetricSource', doc: 'A resource of the pods.' },
);

const containerResourceMetricSourceSchema = object(
  {
    name: required(string('Name of the resource.')),
    target: required(documented(metricTargetSchema, 'Value to hold.')),
    container: required(string('Name of the container.')),
  },
  { name: 'io.k8s.api.autoscaling.v2.ContainerResourceMetricSource', doc: 'A resource of one container of the pods.' },
);

const externalMetricSourceSchema = object(
  {
    metric: required(documented(metricIdentifierSchema, 'The metric.')),
    target: required(documented(metricTargetSchema, 'Value to hold.')),
  },
  { name: 'io.k8s.api.autoscaling.v2.ExternalMetricSource', doc: 'A metric from outside.' },
);

export const metricSpecSchema = object(
  {
    type: required(string('Which source is meant.')),
    object: documented(objectMetricSourceSchema, 'A metric of one object.'),
    pods: documented(podsMetricSourceSchema, 'A metric of each pod.'),
    resource: documented(resourceMetricSourceSchema, 'A resource of the pods.'),
    containerResource: documented(containerResourceMetricSourceSchema, 'A resource of one container.'),
    external: documented(externalMetricSourceSchema, 'A metric from outside.'),
  },
  { name: 'io.k8s.api.autoscaling.v2.MetricSpec', doc: 'What to look at; its type and the source of that name.' },
);
export type MetricSpec = Infer<typeof metricSpecSchema>;

const objectMetricStatusSchema = object(
  {
    metric: required(documented(metricIdentifierSchema, 'The metric.')),
    current: required(documented(metricValueStatusSchema, 'Value that was seen.')),
    describedObject: required(documented(crossVersionObjectReferenceSchema, 'The object.')),
  },
  { name: 'io.k8s.api.autoscaling.v2.ObjectMetricStatus', doc: "What was seen of an object's metric." },
);

const podsMetricStatusSchema = object(
  {
    metric: required(documented(metricIdentifierSchema, 'The metric.')),
    current: required(documented(metricValueStatusSchema, 'Value that was seen.')),
  },
  { name: 'io.k8s.api.autoscaling.v2.PodsMetricStatus', doc: 'What was seen of a metric of the pods.' },
);

const resourceMetricStatusSchema = object(
  {
    name: required(string('Name of the resource.')),
    current: required(documented(metricValueStatusSchema, 'Value that was seen.')),
  },
  { name: 'io.k8s.api.autoscaling.v2.ResourceMetricStatus', doc: 'What was seen of a resource.' },
);

const containerResourceMetricStatusSchema = object(
  {
    name: required(string('Name of the resource.')),
    current: required(documented(metricValueStatusSchema, 'Value that was seen.')),
    container: required(string('Name of the container.')),
  },
  { name: 'io.k8s.api.autoscaling.v2.ContainerResourceMetricStatus', doc: "What was seen of a container's resource." },
);

const externalMetricStatusSchema = object(
  {
    metric: required(documented(metricIdentifierSchema, 'The metric.')),
    current: required(documented(metricValueStatusSchema, 'Value that was seen.')),
  },
  { name: 'io.k8s.api.autoscaling.v2.ExternalMetricStatus', doc: 'What was seen of a metric from outside.' },
);

export const metricStatusSchema = object(
  {
    type: required(string('Which source is meant.')),
    object: documented(objectMetricStatusSchema, 'A metric of one object.'),
    pods: documented(podsMetricStatusSchema, 'A metric of each pod.'),
    resource: documented(resourceMetricStatusSchema, 'A resource of the pods.'),
    containerResource: documented(containerResourceMetricStatusSchema, 'A resource of one container.'),
    external: documented(externalMetricStatusSchema, 'A metric from outside.'),
  },
  { name: 'io.k8s.api.autoscaling.v2.MetricStatus', doc: 'What was seen; its type and the source of that name.' },
);

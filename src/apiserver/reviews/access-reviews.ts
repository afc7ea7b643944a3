/** Whether somebody may do something: `kubectl auth can-i`, and servers that leave the decision to this one. */
import type { FieldError } from '#kube/field-error.ts';
import {
  LocalSubjectAccessReview,
  SelfSubjectAccessReview,
  type SelfSubjectAccessReviewSpec,
  SubjectAccessReview,
  type SubjectAccessReviewSpec,
} from '#kube/kinds/authorization/access-reviews.ts';
import type { ReviewedPath, ReviewedResource } from '#kube/kinds/authorization/attributes.ts';
import type { ObjectMeta } from '#kube/object.ts';
import { invalid } from '#kube/status.ts';
import type { Attributes, Authorizer } from '#apiserver/authorize.ts';
import { selectorErrors, selectorProblems } from '#apiserver/reviews/selectors.ts';
import { invalidLiteral } from '#apiserver/strategies/literals.ts';
import type { User } from '#apiserver/user.ts';
import { type VirtualKind, virtualKind } from '#apiserver/virtual-kind.ts';

/** The server's validation has no name for the kind here. */
const NO_KIND = { group: 'authorization.k8s.io', kind: '' };

type Spec = SelfSubjectAccessReviewSpec;

export function accessReviews(authorizer: Authorizer): VirtualKind[] {
  const decide = (user: User, spec: Spec) => statusOf(authorizer, user, spec);
  return [
    virtualKind({
      kind: SelfSubjectAccessReview,
      answer: ({ object }, { user }) => {
        refuse([...actionErrors(object.spec), ...metadataErrors(object.metadata)]);
        return { ...object, status: decide(user, object.spec) };
      },
    }),
    virtualKind({
      kind: SubjectAccessReview,
      answer: ({ object }) => {
        refuse([...specErrors(object.spec), ...metadataErrors(object.metadata)]);
        return { ...object, status: decide(userOf(object.spec), object.spec) };
      },
    }),
    virtualKind({
      kind: LocalSubjectAccessReview,
      answer: ({ object }) => {
        refuse([...specErrors(object.spec), ...localErrors(object)]);
        return { ...object, status: decide(userOf(object.spec), object.spec) };
      },
    }),
  ];
}

function statusOf(authorizer: Authorizer, user: User, spec: Spec) {
  const { isAllowed, reason: reasonOf } = authorizer(user, attributesOf(spec));
  const reason = reasonOf();
  const problems = spec.resourceAttributes ? selectorProblems(spec.resourceAttributes) : [];
  return {
    allowed: isAllowed,
    ...(reason === '' ? {} : { reason }),
    ...(problems.length === 0 ? {} : { evaluationError: problems.join('; ') }),
  };
}

function attributesOf({ resourceAttributes, nonResourceAttributes }: Spec): Attributes {
  if (!resourceAttributes) {
    const { verb = '', path = '' } = nonResourceAttributes ?? {};
    return { type: 'path', verb, path };
  }
  const { verb = '', group = '', resource = '', subresource, namespace, name = '' } = resourceAttributes;
  const [part, place] = [subresource || undefined, namespace || undefined];
  return { type: 'resource', verb, group, resource, subresource: part, namespace: place, name };
}

function userOf({ user = '', groups, uid, extra }: SubjectAccessReviewSpec): User {
  return { name: user, groups: groups ?? [], uid, extra };
}

function refuse(errors: readonly FieldError[]): void {
  if (errors.length > 0) throw invalid(NO_KIND, '', errors);
}

function specErrors(spec: SubjectAccessReviewSpec): FieldError[] {
  const [ofAction, ofSelectors] = [alternativeErrors(spec), selectorsErrors(spec)];
  if (spec.user || (spec.groups ?? []).length > 0) return [...ofAction, ...ofSelectors];
  const ofUser = invalidLiteral('spec.user', '""', 'at least one of user or group must be specified');
  return [...ofAction, ofUser, ...ofSelectors];
}

function actionErrors(spec: Spec): FieldError[] {
  return [...alternativeErrors(spec), ...selectorsErrors(spec)];
}

function alternativeErrors({ resourceAttributes, nonResourceAttributes }: Spec): FieldError[] {
  if (resourceAttributes && nonResourceAttributes) {
    const detail = 'cannot be specified in combination with resourceAttributes';
    return [invalidLiteral('spec.nonResourceAttributes', pathLiteral(nonResourceAttributes), detail)];
  }
  if (resourceAttributes || nonResourceAttributes) return [];
  const detail = 'exactly one of nonResourceAttributes or resourceAttributes must be specified';
  return [invalidLiteral('spec.resourceAttributes', '"null"', detail)];
}

function selectorsErrors({ resourceAttributes }: Spec): FieldError[] {
  return resourceAttributes ? selectorErrors(resourceAttributes, 'spec.resourceAttributes') : [];
}

function localErrors({ metadata, spec }: LocalSubjectAccessReview): FieldError[] {
  const { resourceAttributes, nonResourceAttributes } = spec;
  const { namespace = '', ...rest } = metadata;
  return [
    ...metadataErrors(rest, ' except for namespace'),
    ...(resourceAttributes ? namespaceErrors(resourceAttributes, namespace) : []),
    ...(nonResourceAttributes
      ? [
          invalidLiteral(
            'spec.nonResourceAttributes',
            pathLiteral(nonResourceAttributes),
            'disallowed on this kind of request',
          ),
        ]
      : []),
  ];
}

function namespaceErrors({ namespace: asked = '' }: ReviewedResource, namespace: string): FieldError[] {
  if (asked === namespace) return [];
  const field = 'spec.resourceAttributes.namespace';
  return [invalidLiteral(field, JSON.stringify(asked), 'must match metadata.namespace')];
}

/** Nothing is kept, so nothing may be named. */
function metadataErrors({ managedFields: _, ...metadata }: ObjectMeta, except = ''): FieldError[] {
  const given = Object.entries(metadata).filter(([, value]) => value !== undefined && value !== null);
  if (given.length === 0) return [];
  return [invalidLiteral('metadata', JSON.stringify(Object.fromEntries(given)), `must be empty${except}`)];
}

function pathLiteral({ path = '', verb = '' }: ReviewedPath): string {
  return `authorization.NonResourceAttributes{Path:${JSON.stringify(path)}, Verb:${JSON.stringify(verb)}}`;
}

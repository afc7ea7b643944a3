/** What a request is in the eyes of authorisation, and the refusal of one that is not allowed. */
import { parseFieldSelector, requiredFieldValue } from '#kube/field-selectors.ts';
import { pathSegmentProblems } from '#kube/names.ts';
import { ParseError } from '#kube/parse-error.ts';
import { type Attributes, type Authorizer, refusal } from '#apiserver/authorize.ts';
import type { Exchange } from '#apiserver/http/exchange.ts';
import type { ApiPath } from '#apiserver/http/path.ts';
import { verbFor } from '#apiserver/http/verb.ts';

export function requireAllowed(authorizer: Authorizer, exchange: Exchange, attributes: Attributes): void {
  const decision = authorizer(exchange.user, attributes);
  if (decision.isAllowed) return;
  exchange.response.setHeader('X-Content-Type-Options', 'nosniff');
  throw refusal(exchange.user, attributes, decision);
}

export function attributesOf(exchange: Exchange, path: ApiPath): Attributes {
  if (path.type !== 'resource') {
    return { type: 'path', verb: exchange.method.toLowerCase(), path: exchange.path };
  }
  const { group, plural, namespace, subresource } = path;
  const isNamespace = group === '' && plural === 'namespaces' && path.name !== '';
  const verb = verbFor(exchange, path);
  const name = path.name === '' && (verb === 'list' || verb === 'watch') ? selectedName(exchange) : path.name;
  return {
    type: 'resource',
    verb,
    group,
    resource: plural,
    subresource,
    namespace: isNamespace ? path.name : namespace,
    name,
  };
}

/** Who lists one object by its name asks for that object only. */
function selectedName({ query }: Exchange): string {
  const text = query.get('fieldSelector');
  if (!text) return '';
  const selector = parseFieldSelector(text);
  if (selector instanceof ParseError) return '';
  const name = requiredFieldValue(selector, 'metadata.name') ?? '';
  return pathSegmentProblems(name).length === 0 ? name : '';
}

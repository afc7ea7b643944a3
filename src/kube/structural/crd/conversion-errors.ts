/** How objects are converted between versions: not at all, or by a webhook. */
import { X509Certificate } from 'node:crypto';
import { getMember } from '#base/json.ts';
import {
  child,
  type FieldError,
  forbiddenField,
  index,
  invalidField,
  notSupportedField,
  requiredField,
} from '#kube/field-error.ts';
import { dns1035LabelProblems, dnsSubdomainProblems, portNumberProblems } from '#kube/names.ts';
import {
  type Definition,
  type Members,
  optionalObjectAt,
  optionalTextAt,
  textAt,
} from '#kube/structural/crd/definition.ts';
import { printTexts } from '#kube/structural/crd/go-print.ts';

const STRATEGIES = ['None', 'Webhook'];
const REVIEW_VERSIONS = ['v1', 'v1beta1'];
const FORM = '; desired format: https://host[/path]';

export function conversionErrors({ conversion, isEstablished }: Definition, path: string): FieldError[] {
  const strategy = textAt(conversion, 'strategy');
  const webhook = optionalObjectAt(conversion, 'webhook');
  const client = webhook && optionalObjectAt(webhook, 'clientConfig');
  const versions = reviewVersions(webhook);
  const atClient = child(path, 'webhookClientConfig');
  const atVersions = child(path, 'conversionReviewVersions');
  if (strategy === 'Webhook') {
    const missing = requiredField(atClient, 'required when strategy is set to Webhook');
    const ofClient = client ? clientErrors(client, isEstablished, atClient) : [missing];
    return [...ofClient, ...reviewVersionErrors(versions, atVersions)];
  }
  const unused = 'should not be set when strategy is not set to Webhook';
  return [
    ...strategyErrors(strategy, child(path, 'strategy')),
    ...(client ? [forbiddenField(atClient, unused)] : []),
    ...(versions.length > 0 ? [forbiddenField(atVersions, unused)] : []),
  ];
}

function strategyErrors(strategy: string, path: string): FieldError[] {
  if (strategy === '') return [requiredField(path)];
  return STRATEGIES.includes(strategy) ? [] : [notSupportedField(path, strategy, STRATEGIES)];
}

function reviewVersions(webhook: Members | undefined): readonly string[] {
  const versions = webhook && getMember(webhook, 'conversionReviewVersions');
  return Array.isArray(versions) ? versions.filter((version) => typeof version === 'string') : [];
}

function reviewVersionErrors(versions: readonly string[], path: string): FieldError[] {
  if (versions.length === 0) return [requiredField(path)];
  const errors = versions.flatMap((version, position) => {
    const field = index(path, position);
    if (versions.indexOf(version) < position) return [invalidField(field, version, 'duplicate version')];
    return dns1035LabelProblems(version).map((problem) => invalidField(field, version, problem));
  });
  if (versions.some((version) => REVIEW_VERSIONS.includes(version))) return errors;
  const message = `Invalid value: ${printTexts(versions)}: must include at least one of ${REVIEW_VERSIONS.join(', ')}`;
  return [...errors, { field: path, reason: 'FieldValueInvalid', message }];
}

/** An established definition must have certificates that can be read, since it is called. */
function clientErrors(client: Members, isEstablished: boolean, path: string): FieldError[] {
  const url = optionalTextAt(client, 'url');
  const service = optionalObjectAt(client, 'service');
  const bundle = optionalTextAt(client, 'caBundle') ?? '';
  const badBundle = isEstablished && bundle !== '' && !isCertificateBundle(bundle);
  return [
    ...targetErrors(url, service, path),
    ...(badBundle
      ? [
          invalidField(
            child(path, 'caBundle'),
            bundle,
            'unable to load root certificates: unable to parse bytes as PEM block',
          ),
        ]
      : []),
  ];
}

function targetErrors(url: string | undefined, service: Members | undefined, path: string): FieldError[] {
  if ((url === undefined) === (service === undefined)) {
    return [requiredField(path, 'exactly one of url or service is required')];
  }
  if (url !== undefined) return urlErrors(url, child(path, 'url'));
  return service ? serviceErrors(service, child(path, 'service')) : [];
}

function urlErrors(text: string, path: string): FieldError[] {
  const [, scheme = '', authority = '', rest = ''] =
    /^(?:([a-z][-a-z0-9+.]*):)?(?:\/\/([^/?#]*))?([^]*)$/i.exec(text) ?? [];
  const at = authority.lastIndexOf('@');
  const host = authority.slice(at + 1);
  const query = /\?([^#]*)/.exec(rest)?.[1] ?? '';
  const fragment = /#([^]*)/.exec(rest)?.[1] ?? '';
  const errors: FieldError[] = [];
  if (scheme !== 'https') errors.push(invalidField(path, scheme, `'https' is the only allowed URL scheme${FORM}`));
  if (host === '') errors.push(invalidField(path, host, `host must be specified${FORM}`));
  if (at >= 0) {
    errors.push(invalidField(path, authority.slice(0, at), 'user information is not permitted in the URL'));
  }
  if (fragment !== '') errors.push(invalidField(path, fragment, 'fragments are not permitted in the URL'));
  if (query !== '') errors.push(invalidField(path, query, 'query parameters are not permitted in the URL'));
  return errors;
}

function serviceErrors(service: Members, path: string): FieldError[] {
  const port = getMember(service, 'port') ?? 443;
  const problems = portNumberProblems(typeof port === 'number' ? port : 0);
  // Kubernetes passes name and namespace in the wrong order here, and its clients see that.
  const missing = [
    ...(textAt(service, 'namespace') === '' ? [requiredField(child(path, 'name'), 'service name is required')] : []),
    ...(textAt(service, 'name') === ''
      ? [requiredField(child(path, 'namespace'), 'service namespace is required')]
      : []),
  ];
  return [
    ...missing,
    ...(problems.length > 0
      ? [invalidField(child(path, 'port'), port, `port is not valid: ${problems.join(', ')}`)]
      : []),
    ...servicePathErrors(textAt(service, 'path'), child(path, 'path')),
  ];
}

function servicePathErrors(value: string, path: string): FieldError[] {
  if (value === '' || value === '/') return [];
  if (value === '//') return [invalidField(path, value, 'segment[0] may not be empty')];
  const errors = value.startsWith('/') ? [] : [invalidField(path, value, "must start with a '/'")];
  const segments = value.slice(1).replace(/\/$/, '').split('/');
  const ofSegments = segments.flatMap((segment, position) => {
    if (segment === '') return [invalidField(path, value, `segment[${position}] may not be empty`)];
    return dnsSubdomainProblems(segment).map((problem) =>
      invalidField(path, value, `segment[${position}]: ${problem}`),
    );
  });
  return [...errors, ...ofSegments];
}

function isCertificateBundle(base64: string): boolean {
  const text = Buffer.from(base64, 'base64').toString('latin1');
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  return blocks.length > 0 && blocks.every(isCertificate);
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).raw.length > 0;
  } catch {
    return false;
  }
}

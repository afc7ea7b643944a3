/** Where a webhook is: checks of its URL or of the Service that it stands behind, in Kubernetes' words. */
import { child, type FieldError, invalidField, requiredField } from '#kube/field-error.ts';
import { dnsSubdomainProblems, portNumberProblems } from '#kube/names.ts';
import type { WebhookClientConfig } from '#kube/kinds/admissionregistration/webhook.ts';

const FORM = '; desired format: https://host[/path]';

export function clientConfigErrors(config: WebhookClientConfig, path: string): FieldError[] {
  const { url, service } = config;
  if (url !== undefined && service === undefined) return urlErrors(url, child(path, 'url'));
  if (service !== undefined && url === undefined) return serviceErrors(service, child(path, 'service'));
  return [requiredField(path, 'exactly one of url or service is required')];
}

function urlErrors(text: string, path: string): FieldError[] {
  const parsed = splitUrl(text);
  if (typeof parsed === 'string') return [requiredField(path, `url must be a valid URL: ${parsed}${FORM}`)];
  const { scheme, user, host, query, fragment } = parsed;
  const errors: FieldError[] = [];
  if (scheme !== 'https') errors.push(invalidField(path, scheme, `'https' is the only allowed URL scheme${FORM}`));
  if (host === '') errors.push(invalidField(path, host, `host must be specified${FORM}`));
  if (user !== undefined) errors.push(invalidField(path, user, 'user information is not permitted in the URL'));
  if (fragment !== '') errors.push(invalidField(path, fragment, 'fragments are not permitted in the URL'));
  if (query !== '') errors.push(invalidField(path, query, 'query parameters are not permitted in the URL'));
  return errors;
}

interface UrlParts {
  readonly scheme: string;
  readonly user: string | undefined;
  readonly host: string;
  readonly query: string;
  readonly fragment: string;
}

const URL_PARTS = /^(?:([A-Za-z][A-Za-z0-9+.-]*):)?(?:\/\/(?:([^/?#]*)@)?([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#(.*))?$/;

/** The parts as Go finds them, which reads many a text as a mere path; a text says what is wrong. */
function splitUrl(text: string): UrlParts | string {
  const shown = `parse ${JSON.stringify(text)}:`;
  // eslint-disable-next-line no-control-regex
  if (/[\x00-\x1f\x7f]/.test(text)) return `${shown} net/url: invalid control character in URL`;
  const bad = /%(?![0-9A-Fa-f]{2}).{0,2}/.exec(text);
  if (bad) return `${shown} invalid URL escape ${JSON.stringify(bad[0])}`;
  if (text.startsWith(':')) return `${shown} missing protocol scheme`;
  const [, scheme = '', user, host = '', , query = '', fragment = ''] = URL_PARTS.exec(text) ?? [];
  if (host.includes(' ')) return `${shown} invalid character " " in host name`;
  const port = /:([^\]:]*)$/.exec(host)?.[1];
  if (port !== undefined && !/^\d*$/.test(port))
    return `${shown} invalid port ${JSON.stringify(`:${port}`)} after host`;
  return { scheme: scheme.toLowerCase(), user, host, query, fragment };
}

type ServiceReference = NonNullable<WebhookClientConfig['service']>;

/** An absent name is reported as an absent namespace and the other way round, as by the real server. */
function serviceErrors({ namespace, name, path: urlPath, port = 443 }: ServiceReference, path: string): FieldError[] {
  const errors: FieldError[] = [];
  if (!namespace) errors.push(requiredField(child(path, 'name'), 'service name is required'));
  if (!name) errors.push(requiredField(child(path, 'namespace'), 'service namespace is required'));
  const problems = portNumberProblems(port);
  if (problems.length > 0) {
    errors.push(invalidField(child(path, 'port'), port, `port is not valid: ${problems.join(', ')}`));
  }
  return [...errors, ...pathErrors(urlPath ?? '', child(path, 'path'))];
}

function pathErrors(urlPath: string, path: string): FieldError[] {
  if (urlPath === '' || urlPath === '/') return [];
  const refuse = (why: string) => invalidField(path, urlPath, why);
  if (urlPath === '//') return [refuse('segment[0] may not be empty')];
  const errors = urlPath.startsWith('/') ? [] : [refuse("must start with a '/'")];
  const segments = urlPath.slice(1).replace(/\/$/, '').split('/');
  const ofSegments = segments.flatMap((segment, position) =>
    segment === ''
      ? [refuse(`segment[${position}] may not be empty`)]
      : dnsSubdomainProblems(segment).map((problem) => refuse(`segment[${position}]: ${problem}`)),
  );
  return [...errors, ...ofSegments];
}

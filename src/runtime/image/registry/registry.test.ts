import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseChallenges } from '#runtime/image/registry/challenge.ts';
import { endpointsOf } from '#runtime/image/registry/endpoint.ts';
import { networkFailure } from '#runtime/image/registry/network-error.ts';

const CHALLENGES: readonly [header: string, parsed: ReturnType<typeof parseChallenges>][] = [
  ['Basic realm="Registry"', [{ scheme: 'basic', parameters: { realm: 'Registry' } }]],
  [
    'Bearer realm="https://auth.example/token",service="reg",scope="repository:a/b:pull,push"',
    [
      {
        scheme: 'bearer',
        parameters: { realm: 'https://auth.example/token', service: 'reg', scope: 'repository:a/b:pull,push' },
      },
    ],
  ],
  [
    'Bearer realm="r", error="insufficient_scope" , Basic realm="with \\"quotes\\", and comma"',
    [
      { scheme: 'bearer', parameters: { realm: 'r', error: 'insufficient_scope' } },
      { scheme: 'basic', parameters: { realm: 'with "quotes", and comma' } },
    ],
  ],
  ['BEARER REALM=bare', [{ scheme: 'bearer', parameters: { realm: 'bare' } }]],
  ['Negotiate', [{ scheme: 'negotiate', parameters: {} }]],
  ['', []],
  ['=broken', []],
  ['Basic realm="never closed', [{ scheme: 'basic', parameters: { realm: '' } }]],
];

for (const [header, parsed] of CHALLENGES) {
  test(`challenge: ${header}`, () => {
    const found = parseChallenges(header);
    if (!header.includes('never')) assert.deepEqual(found, parsed);
    else assert.equal(found[0]?.scheme, 'basic');
  });
}

const ENDPOINTS: readonly [registry: string, insecure: string[], endpoints: string[]][] = [
  ['docker.io', [], ['https://registry-1.docker.io/v2/ verify']],
  ['ghcr.io', [], ['https://ghcr.io/v2/ verify']],
  ['reg.example:5000', [], ['https://reg.example:5000/v2/ verify']],
  ['localhost:5000', [], ['https://localhost:5000/v2/ any', 'http://localhost:5000/v2/ any']],
  ['reg.localhost', [], ['https://reg.localhost/v2/ any', 'http://reg.localhost/v2/ any']],
  ['127.0.0.1:80', [], ['http://127.0.0.1/v2/ any']],
  ['127.3.2.1:443', [], ['https://127.3.2.1/v2/ any']],
  ['[::1]:5000', [], ['https://[::1]:5000/v2/ any', 'http://[::1]:5000/v2/ any']],
  ['10.1.2.3:5000', ['10.0.0.0/8'], ['https://10.1.2.3:5000/v2/ any', 'http://10.1.2.3:5000/v2/ any']],
  ['11.1.2.3:5000', ['10.0.0.0/8', '300.1.1.1/8', '10.0.0.0/99'], ['https://11.1.2.3:5000/v2/ verify']],
  ['reg.example:5000', ['reg.example:5000'], ['https://reg.example:5000/v2/ any', 'http://reg.example:5000/v2/ any']],
  ['reg.example:5000', ['reg.example:5001'], ['https://reg.example:5000/v2/ verify']],
];

for (const [registry, insecure, endpoints] of ENDPOINTS) {
  test(`endpoints of ${registry} with ${insecure.join(' ') || 'nothing'} insecure`, () => {
    const found = endpointsOf(registry, insecure).map(({ baseUrl, certificates }) => `${baseUrl.href} ${certificates}`);
    assert.deepEqual(found, endpoints);
  });
}

const NETWORK: readonly [error: object, code: string, text: RegExp][] = [
  [
    { code: 'ECONNREFUSED', address: '::1', port: 5000 },
    'Unreachable',
    /dial tcp \[::1\]:5000: connect: connection refused$/,
  ],
  [
    { code: 'EHOSTUNREACH', address: '10.0.0.1', port: 443 },
    'Unreachable',
    /dial tcp 10\.0\.0\.1:443: connect: no route to host$/,
  ],
  [{ code: 'ENOTFOUND' }, 'Unreachable', /dial tcp: lookup reg\.example: no such host$/],
  [{ code: 'ETIMEDOUT', address: '10.0.0.1', port: 443 }, 'Unreachable', /i\/o timeout$/],
  [{ code: 'CERT_HAS_EXPIRED' }, 'Tls', /x509: certificate has expired or is not yet valid$/],
  [{ code: 'DEPTH_ZERO_SELF_SIGNED_CERT' }, 'Tls', /x509: certificate signed by unknown authority$/],
  [{ code: 'EPROTO' }, 'Tls', /server gave HTTP response to HTTPS client$/],
  [{ code: 'ECONNRESET' }, 'ConnectionLost', /connection reset by peer$/],
  [{ code: 'ESOMETHING' }, 'UnexpectedAnswer', /what happened$/],
];

for (const [members, code, text] of NETWORK) {
  test(`network: ${JSON.stringify(members)}`, () => {
    const request = { method: 'HEAD', url: new URL('https://reg.example/v2/a/manifests/1') };
    const error = networkFailure(Object.assign(new Error('what happened'), members), request);
    assert.equal(error.code, code);
    assert.match(error.message, text);
    assert.match(error.message, /^failed to do request: Head "https:\/\/reg\.example\/v2\/a\/manifests\/1": /);
    const several = networkFailure(new AggregateError([Object.assign(new Error('what happened'), members)]), request);
    assert.equal(several.message, error.message);
  });
}

/** What anybody may send as a token: forged, twisted, cut and grown ones. */
import assert from 'node:assert/strict';
import { createHmac, createPrivateKey, createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { generateSigningKey, SigningKey } from '#apiserver/tokens/signing-key.ts';

const pem = generateSigningKey();
const key = new SigningKey(pem);
const claims = { iss: 'x', sub: 'system:serviceaccount:ns:robot' };
const good = key.sign(claims);
const [header = '', payload = '', signature = ''] = good.split('.');

const encoded = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const signedWith = (head: object, body: object, privateKey: string) => {
  const text = `${encoded(head)}.${encoded(body)}`;
  const bytes = sign('sha256', Buffer.from(text), { key: privateKey, dsaEncoding: 'ieee-p1363' });
  return `${text}.${bytes.toString('base64url')}`;
};
const publicPem = createPublicKey(createPrivateKey(pem)).export({ type: 'spki', format: 'pem' });
const hmacOf = (secret: string) => {
  const text = `${encoded({ alg: 'HS256', kid: key.jwk.kid })}.${payload}`;
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
};
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
const rsaSigned = () => {
  const text = `${encoded({ alg: 'RS256', kid: key.jwk.kid })}.${payload}`;
  return `${text}.${sign('sha256', Buffer.from(text), rsa).toString('base64url')}`;
};
const flipped = (text: string) => (text.startsWith('A') ? `B${text.slice(1)}` : `A${text.slice(1)}`);
/** The same bytes in another spelling: the last character of 64 bytes carries four bits that count for nothing. */
const respelled = (text: string) => {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  return text.slice(0, -1) + (alphabet[alphabet.indexOf(text.at(-1) ?? '') ^ 1] ?? '');
};
const der = () => {
  const bytes = sign('sha256', Buffer.from(`${header}.${payload}`), pem);
  return `${header}.${payload}.${bytes.toString('base64url')}`;
};

test('a token of ours is one, with our id of the key or without', () => {
  assert.deepEqual(key.verify(good), claims);
  assert.deepEqual(key.verify(signedWith({ alg: 'ES256' }, claims, pem)), claims);
  assert.deepEqual(new SigningKey(pem).verify(good), claims);
});

describe('no token of ours', () => {
  const rows: Record<string, string> = {
    'alg none, no signature': `${encoded({ alg: 'none' })}.${payload}.`,
    'alg none, our signature': `${encoded({ alg: 'none' })}.${payload}.${signature}`,
    'no alg': signedWith({ kid: key.jwk.kid }, claims, pem),
    'alg in small letters': signedWith({ alg: 'es256' }, claims, pem),
    'alg of another curve': signedWith({ alg: 'ES384' }, claims, pem),
    'HMAC with the public key as the secret': hmacOf(publicPem),
    'HMAC with an empty secret': hmacOf(''),
    'RSA under the id of our key': rsaSigned(),
    'another key under the id of ours': signedWith({ alg: 'ES256', kid: key.jwk.kid }, claims, generateSigningKey()),
    'an id that is not ours': signedWith({ alg: 'ES256', kid: 'other' }, claims, pem),
    'an id that is a path': signedWith({ alg: 'ES256', kid: '../../../dev/null' }, claims, pem),
    'an id that is no text': signedWith({ alg: 'ES256', kid: [key.jwk.kid] }, claims, pem),
    'an empty id': signedWith({ alg: 'ES256', kid: '' }, claims, pem),
    'a key of its own in the header': signedWith(
      { alg: 'ES256', jwk: new SigningKey(generateSigningKey()).jwk },
      claims,
      generateSigningKey(),
    ),
    'extensions that must be understood': signedWith({ alg: 'ES256', crit: ['b64'], b64: false }, claims, pem),
    'another payload': `${header}.${encoded({ ...claims, sub: 'system:serviceaccount:kube-system:admin' })}.${signature}`,
    'a signature with a bit changed': `${header}.${payload}.${flipped(signature)}`,
    'a signature in another spelling': `${header}.${payload}.${respelled(signature)}`,
    'a signature in DER': der(),
    'a signature of zeros': `${header}.${payload}.${Buffer.alloc(64).toString('base64url')}`,
    'a short signature': `${header}.${payload}.AAAA`,
    'no signature': `${header}.${payload}.`,
    'two parts': `${header}.${payload}`,
    'four parts': `${good}.${signature}`,
    'five parts, as encrypted tokens have': `${good}.${signature}.${signature}`,
    padding: `${header}.${payload}.${signature}=`,
    'a line feed at the end': `${good}\n`,
    'base64 of the other kind': good.replace('.', '+.'),
    'a payload that is a list': signedWith({ alg: 'ES256' }, [claims], pem),
    'a payload that is no JSON': `${header}.${Buffer.from('{"a":').toString('base64url')}.${signature}`,
    'a whole megabyte': `${header}.${'A'.repeat(1024 * 1024)}.${signature}`,
    dots: '.'.repeat(1024 * 1024),
    nothing: '',
    JSON: JSON.stringify({ payload, signatures: [{ protected: header, signature }] }),
  };
  for (const [name, token] of Object.entries(rows)) {
    test(name, () => assert.equal(key.verify(token), undefined));
  }
});

test('whatever is sent, nothing is thrown and nothing but the token itself passes', () => {
  const part = fc.oneof(
    fc.base64String(),
    fc.json().map((text) => Buffer.from(text).toString('base64url')),
  );
  const text = fc.oneof(
    fc.string(),
    fc.tuple(part, part, part).map((parts) => parts.join('.')),
  );
  fc.assert(fc.property(text, (token) => assert.equal(key.verify(token), undefined)));
  const change = fc.tuple(fc.nat(good.length - 1), fc.string({ minLength: 1, maxLength: 1 }));
  fc.assert(
    fc.property(change, ([at, letter]) => {
      const changed = good.slice(0, at) + letter + good.slice(at + 1);
      if (changed !== good) assert.equal(key.verify(changed), undefined);
    }),
  );
});

test('the public key is what verifiers of OpenID Connect read', () => {
  const { jwk } = key;
  assert.deepEqual([jwk.kty, jwk.crv, jwk.alg, jwk.use], ['EC', 'P-256', 'ES256', 'sig']);
  assert.equal('d' in jwk, false);
  const imported = createPublicKey({ key: { ...jwk }, format: 'jwk' });
  assert.equal(imported.export({ type: 'spki', format: 'pem' }), publicPem);
});

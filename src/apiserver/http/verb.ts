/** The verb that a method means on a path, as authorisation and metrics name it. */
import type { Exchange } from '#apiserver/http/exchange.ts';
import type { ResourcePath } from '#apiserver/http/path.ts';

export function verbFor({ method, query }: Exchange, { name, isWatch }: ResourcePath): string {
  switch (method) {
    case 'GET':
    case 'HEAD':
      if (isWatch) return 'watch';
      if (name !== '') return 'get';
      return query.flag('watch') ? 'watch' : 'list';
    case 'POST':
      return 'create';
    case 'PUT':
      return 'update';
    case 'PATCH':
      return 'patch';
    case 'DELETE':
      return name === '' ? 'deletecollection' : 'delete';
    default:
      return method.toLowerCase();
  }
}

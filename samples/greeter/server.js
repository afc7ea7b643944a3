'use strict';
// Greets whoever asks. It knows nothing of where it runs: Knative tells it by environment variables at which PORT to
// listen and which revision it is, the manifest whom to greet.
//
// Plain CommonJS on purpose: Node starts it in half the time of an ES module, and the start of the application is part
// of every cold start.
const http = require('node:http');

const { PORT = '8080', TARGET = 'World', K_REVISION = 'no revision' } = process.env;

const server = http.createServer((request, response) => {
  const isHealthCheck = request.url === '/healthz';
  response.setHeader('content-type', 'text/plain; charset=utf-8');
  response.end(isHealthCheck ? 'ok\n' : `Hello ${TARGET}, from ${K_REVISION}\n`);
});

server.listen(Number(PORT));

// Scaled down or replaced: no new connections, and what was asked is still answered.
process.on('SIGTERM', () => server.close());

// helloterry: the smallest service that is worth deploying. It answers one sentence on $PORT (8080 when nothing is set).
// What this version answers stands beside it in answer.json, so that the versions differ in data alone.
'use strict';

const fs = require('node:fs');
const http = require('node:http');
const path = require('node:path');

const answer = JSON.parse(fs.readFileSync(path.join(__dirname, 'answer.json'), 'utf8'));
const port = Number(process.env.PORT || 8080);
const host = process.env.HOST || undefined; // without HOST: every address of the machine

// Balancers and cloud platforms name themselves when they ask for health.
const isProbe = (request) => /health|probe|GoogleHC/i.test(request.headers['user-agent'] || '');

const server = http.createServer((request, response) => {
  const status = isProbe(request) ? (answer.healthStatus ?? answer.status) : answer.status;
  response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8', 'X-Version': answer.version });
  response.end(`${answer.text}\n`);
});

// Whoever pools connections to us gives them up first; we never close one that a request may be under way on.
server.keepAliveTimeout = 65_000;

server.listen(port, host, () => {
  console.log(`helloterry ${answer.version} listens on ${host || '*'}:${port}`);
});

// Stopping: no new connections, the requests under way are finished, then the end.
process.on('SIGTERM', () => {
  console.log('helloterry stops');
  server.close(() => process.exit(0));
  server.closeIdleConnections();
});

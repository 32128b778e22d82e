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

let stopping = false;

const server = http.createServer((request, response) => {
  const status = isProbe(request) ? (answer.healthStatus ?? answer.status) : answer.status;
  const body = `${answer.text}\n`;
  response.writeHead(status, {
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Length': Buffer.byteLength(body),
    'X-Version': answer.version,
    ...(stopping && { Connection: 'close' }),
  });
  response.end(body);
});

// Whoever pools connections to us gives them up first; we never close one that a request may be under way on.
server.keepAliveTimeout = 65_000;

server.listen(port, host, () => {
  console.log(`helloterry ${answer.version} listens on ${host || '*'}:${port}`);
});

// Stopping: whoever still asks gets an answer that says "close"; once nobody is connected, or after a second, it ends.
process.on('SIGTERM', () => {
  if (stopping) return;
  stopping = true;
  console.log('helloterry stops');
  const end = () => server.close(() => process.exit(0));
  const latest = setTimeout(end, 1000);
  const look = setInterval(() => {
    server.getConnections((_, count) => {
      if (count > 0) return;
      clearInterval(look);
      clearTimeout(latest);
      end();
    });
  }, 50);
});

// epmd-client registers, is looked up, refused, listed and dumped; a line each.
'use strict';

const epmd = require('epmd-client');
const host = process.argv[2];
const port = Number(process.env.ERL_EPMD_PORT);

// The client gives the connection to listeners; a promise asks for one event.
function open(request, wanted) {
  return new Promise((resolve, reject) => {
    const client = new epmd.Client(host, port);
    client.on('connect', () => request(client));
    client.on(wanted, (answer) => resolve({ client, answer }));
    client.on('error', (error) => { client.end(); reject(error); });
    client.connect();
  });
}

function register(name, at) {
  return open((client) => client.register(at, name), 'alive');
}

function lookup(name) {
  return new Promise((resolve, reject) => {
    epmd.getNode(host, port, name, (error, node) => (error ? reject(error) : resolve(node.data)));
  });
}

// An answer may come in several pieces, each of which the client hands on as
// one list.
function list(request) {
  return new Promise((resolve, reject) => {
    const client = new epmd.Client(host, port);
    let nodes = [];
    client.on('connect', () => request(client));
    client.on('nodeinfo', (some) => { nodes = nodes.concat(some); });
    client.on('end', () => { client.end(); resolve(nodes); });
    client.on('error', reject);
    client.connect();
  });
}

function show(nodes) {
  return nodes.map((node) => `${node.name}:${node.port}`).join(' ');
}

async function main() {
  const one = await register('js1', 4001);
  const two = await register('js2', 4002);
  console.log('creation bytes', one.answer.data.creation.length);
  const node = await lookup('js1');
  console.log('lookup', node.name, node.port, node.nodeType, node.protocol);
  await lookup('nobody').catch((error) => console.log('lookup', error.message));
  await register('js1', 4003).catch((error) => console.log('register', error.message));
  console.log('names', show(await list((client) => client.getAllNodes())));
  const dump = await list((client) => client.dumpEpmd());
  console.log('dump', show(dump), dump.every((entry) => entry.fd > 2));
  two.client.end();
  await new Promise((resolve) => two.client.on('end', resolve));
  console.log('names', show(await list((client) => client.getAllNodes())));
  one.client.end();
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});

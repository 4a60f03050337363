// node:http without what nobody here uses. An import of the module by name reads all its exports, and among these are getters that load
// Node's whole WebSocket and fetch client: 60 ms of CPU in every command and in control. Types are imported from node:http as always.

export const { createServer, request } = process.getBuiltinModule('node:http');

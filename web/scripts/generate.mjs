// Writes the TypeScript types of the protocol from the engine's own documents:
//
//   src/sdk/generated/openapi.json   (parlance docs openapi)   -> http.ts
//   src/sdk/generated/asyncapi.json  (parlance docs asyncapi)  -> events.ts
//
// The schemas of our AsyncAPI document are plain JSON Schemas, so the same tool serves both once they are wrapped
// as an OpenAPI document without paths.
import { readFile, writeFile } from "node:fs/promises";
import openapiTS, { astToString } from "openapi-typescript";

const folder = new URL("../src/sdk/generated/", import.meta.url);

async function readDocument(name) {
  return JSON.parse(await readFile(new URL(name, folder), "utf8"));
}

async function writeTypes(name, source, document) {
  const types = astToString(await openapiTS(document, { alphabetize: true, emptyObjectsUnknown: true, immutable: true }));
  const head = `// Generated from ${source} by \`npm run generate\`; edit the engine's types instead.\n/* eslint-disable */\n\n`;
  await writeFile(new URL(name, folder), head + types);
}

const openapi = await readDocument("openapi.json");
await writeTypes("http.ts", "openapi.json", openapi);

const asyncapi = await readDocument("asyncapi.json");
await writeTypes("events.ts", "asyncapi.json", {
  openapi: "3.1.0",
  info: { title: "Frames", version: "1" },
  paths: {},
  components: { schemas: asyncapi.components.schemas },
});

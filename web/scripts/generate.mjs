// Writes the TypeScript types of the protocol from the engine's own documents:
//
//   src/sdk/generated/openapi.json   (parlance docs openapi)   -> http.ts
//   src/sdk/generated/asyncapi.json  (parlance docs asyncapi)  -> events.ts
//
// The schemas of our AsyncAPI document are plain JSON Schemas, so the same tool serves both once they are wrapped
// as an OpenAPI document without paths. What each command carries, and what it is answered with, comes from the document's
// operations: `Commands` and `Answers` have a property for each kind.
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
/** The schema of a message that an operation names. */
function payload(reference) {
  return asyncapi.components.messages[reference.$ref.split("/").at(-1)].payload;
}

/** A schema with a required property for each of these. */
function mapOf(description, entries) {
  const properties = Object.fromEntries(entries);
  return { description, type: "object", required: Object.keys(properties), properties };
}

const commands = Object.entries(asyncapi.operations).filter(([, operation]) => operation.action === "receive");

await writeTypes("events.ts", "asyncapi.json", {
  openapi: "3.1.0",
  info: { title: "Frames", version: "1" },
  paths: {},
  components: {
    schemas: {
      ...asyncapi.components.schemas,
      Commands: mapOf(
        "Commands by kind",
        commands.map(([kind, { messages }]) => [kind, payload(messages[0])]),
      ),
      Answers: mapOf(
        "What each command that succeeds is answered with, by its kind",
        commands.map(([kind, { reply }]) => [kind, payload(reply.messages[0])]),
      ),
    },
  },
});

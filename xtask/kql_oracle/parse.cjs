// What Microsoft's own parser says of queries: node parse.cjs MODULES QUERIES > VERDICTS.
//
// QUERIES and VERDICTS have one JSON object per line: {"id", "query"} and {"id", "errors": [{"code", "start", "message"}]}.
// Syntax only: KustoCode.Parse knows no tables, so an unknown column is no error here.
"use strict";
const fs = require("node:fs");
const path = require("node:path");

const [modules, queries] = process.argv.slice(2);
const languageService = path.resolve(modules, "@kusto", "language-service-next");
require(path.join(languageService, "bridge.js"));
require(path.join(languageService, "Kusto.Language.Bridge.js"));

for (const line of fs.readFileSync(queries, "utf8").split("\n").filter(Boolean)) {
  const { id, query } = JSON.parse(line);
  const diagnostics = Kusto.Language.KustoCode.Parse(query).GetDiagnostics();
  const errors = [];
  for (let index = 0; index < diagnostics.Count; index += 1) {
    const { Code, Message, Severity, Start } = diagnostics.getItem(index);
    if (Severity === "Error") {
      errors.push({ code: Code, start: Start, message: Message });
    }
  }
  process.stdout.write(`${JSON.stringify({ id, errors })}\n`);
}

import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

/** Where `npm run dev` finds a running engine. */
const ENGINE = process.env.PARLANCE_URL ?? "http://127.0.0.1:8080";

export default defineConfig({
  // The engine serves the build at its root; names under /assets carry a hash, so it can cache them for ever.
  base: "/",
  plugins: [react()],
  build: { outDir: "dist", assetsDir: "assets", target: "es2022", sourcemap: false },
  server: {
    proxy: { "/api": { target: ENGINE, ws: true } },
  },
  test: { include: ["src/**/*.test.ts"], environment: "node" },
});

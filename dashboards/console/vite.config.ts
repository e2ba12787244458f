// SPDX-License-Identifier: Apache-2.0
/**
 * How the console is built: one page, hashed assets, no inline script, so that the strictest content policy holds.
 * Input: src/. Output: the folder named by `--outDir`, in the data folder of a collector.
 */
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

export default defineConfig({
  plugins: [react()],
  build: {
    target: 'es2024',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 700,
    reportCompressedSize: false,
  },
});

import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  plugins: [svelte()],
  build: {
    target: 'es2022',
    // The content security policy allows no data: address.
    assetsInlineLimit: 0,
    rolldownOptions: { input: { visit: 'visit.html', desk: 'desk.html' } },
  },
  test: { include: ['src/**/*.test.ts'], environment: 'node' },
});

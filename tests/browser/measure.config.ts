import { defineConfig } from '@playwright/test';
import usual from './playwright.config';

/** Figures, not tests: `npm run measure`. */
export default defineConfig(usual, { testMatch: '*.measure.ts', timeout: 600_000 });

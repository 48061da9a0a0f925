import svelte from 'eslint-plugin-svelte';
import globals from 'globals';
import ts from 'typescript-eslint';
import svelteConfig from './svelte.config.js';

// The wire and the media know no framework and no page: views join them, never the other way.
const pure = {
  files: ['src/signal/**/*.ts', 'src/call/**/*.ts', 'src/schedule/**/*.ts'],
  rules: {
    'no-restricted-imports': [
      'error',
      {
        patterns: [
          {
            group: ['svelte', 'svelte/*', '*.svelte', '@tanstack/*'],
            message: 'signal, call and schedule are plain TypeScript.',
          },
          { group: ['**/views/**', '**/ui/**', '**/i18n/**'], message: 'signal, call and schedule know no page.' },
        ],
      },
    ],
  },
};

export default ts.config(
  { ignores: ['dist', 'node_modules', 'src/api/schema.ts'] },
  ...ts.configs.recommendedTypeChecked,
  ...svelte.configs.recommended,
  {
    languageOptions: {
      globals: globals.browser,
      parserOptions: { project: ['tsconfig.json', 'tsconfig.node.json'], extraFileExtensions: ['.svelte'] },
    },
    rules: {
      'max-lines': ['error', 350],
      eqeqeq: 'error',
      'no-console': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-non-null-assertion': 'error',
    },
  },
  { files: ['**/*.svelte', '**/*.svelte.ts'], languageOptions: { parserOptions: { parser: ts.parser, svelteConfig } } },
  { files: ['*.config.js'], ...ts.configs.disableTypeChecked },
  pure,
);

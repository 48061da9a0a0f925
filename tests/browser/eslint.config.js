import ts from 'typescript-eslint';

export default ts.config(
  { ignores: ['node_modules', 'results', 'screenshots'] },
  ...ts.configs.recommendedTypeChecked,
  {
    languageOptions: { parserOptions: { project: 'tsconfig.json' } },
    rules: {
      'max-lines': ['error', 350],
      eqeqeq: 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
    },
  },
  { files: ['*.config.js'], ...ts.configs.disableTypeChecked },
);

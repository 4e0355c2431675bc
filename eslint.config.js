import tseslint from 'typescript-eslint'

export default tseslint.config(
  {
    ignores: [
      'dist/',
      'dist-conformance/',
      'dist-crashpoints/',
      'dist-chaos/',
      'node_modules/',
      'coverage/',
      'bench/build/',
    ],
  },
  {
    files: [
      'src/**/*.ts',
      'test/**/*.ts',
      'conformance/**/*.ts',
      'crashpoints/**/*.ts',
      'chaos/**/*.ts',
      'bench/**/*.ts',
    ],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: {
      parserOptions: { project: './tsconfig.test.json', tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      '@typescript-eslint/consistent-type-imports': 'error',
      // Bounds are proved by the layout; noUncheckedIndexedAccess would otherwise force a branch per byte.
      '@typescript-eslint/no-non-null-assertion': 'off',
      'no-console': 'error',
      eqeqeq: 'error',
    },
  },
)

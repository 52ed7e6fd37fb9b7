/** Its package.json names its types for `import` only. */
declare module '@octokit/webhooks-methods' {
  export function sign(secret: string, payload: string): Promise<string>;
  export function verify(secret: string, payload: string, signature: string): Promise<boolean>;
}

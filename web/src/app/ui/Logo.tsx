export function Logo({ size = 28 }: { readonly size?: number }) {
  return <img className="logo" src="/favicon.svg" width={size} height={size} alt="" />;
}

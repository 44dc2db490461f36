export default function Page() {
  return <p>A database call in every place one can stand, four times over.</p>;
}

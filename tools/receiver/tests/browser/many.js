// Many files at once, for tests of what a long list does.

/** Chooses so many small files at once, without a file on the disk for each; their names are in no order. */
export async function chooseMany(page, count, input = "files") {
  await page.evaluate(([count, input]) => {
    const field = document.getElementById(input);
    const transfer = new DataTransfer();
    const numbers = Array.from({ length: count }, (_, n) => (n * 7919) % count);
    for (const n of numbers) transfer.items.add(new File([`file ${n}`], `many ${n}.txt`, { lastModified: 1_700_000_000_000 }));
    field.files = transfer.files;
    field.dispatchEvent(new Event("change"));
  }, [count, input]);
}

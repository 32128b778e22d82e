// What several walks find in the page's forms: values of a document by their paths, and what the forms of notifications have wherever they are.

export function forms(page) {
  /** Where a value is shown. */
  const place = (path) => page.locator(`[data-path=${JSON.stringify(path)}]`);
  return {
    place,
    /** Its control. */
    field: (path) => place(path).locator('input, textarea, select').first(),
    /** What chooses the kind of a new notification. */
    kinds: page.locator('select.field').filter({ has: page.locator('option[value=email]') }),
    /** What sends a trial of the notification whose form is `within`. */
    trial: (within) => within.getByRole('button', { name: 'Send a trial' }),
  };
}

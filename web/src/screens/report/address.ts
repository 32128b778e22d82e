// What stands in the address of a report: the chosen second, counted from the first one.

export interface ReportSearch {
  at?: number;
}

export function readReportSearch(search: Record<string, unknown>): ReportSearch {
  const at = Number(search.at);
  return search.at !== undefined && Number.isInteger(at) && at >= 0 ? { at } : {};
}

// What the staff need to know of a kiosk: its name, its printer, the server, and what the server has not been told.

import { Jammed, print, printerTrouble } from "./printing.js";
import { SETUP } from "./setup.js";
import { inWords, momentOf, say } from "./tongue.js";
import { make } from "./dom.js";

/** @param {import("./keeper.js").Keeper} keeper @param {() => import("./setup.js").Paper | null} lastPaper */
export function staffPanel(keeper, lastPaper) {
  const dialog = /** @type {HTMLDialogElement} */ (document.querySelector("dialog.staff"));
  /** What the printer said when the panel was opened. @type {string | null} */
  let printer = null;
  let said = "";

  async function look() {
    printer = null;
    void repaint();
    printer = await printerTrouble();
    void repaint();
  }

  async function printAgain() {
    const paper = lastPaper();
    if (!paper) return;
    said = "";
    try {
      await print(paper, SETUP.menu.hotline);
    } catch (error) {
      said = error instanceof Jammed ? error.message : String(error);
    }
    await look();
  }

  async function repaint() {
    if (!dialog.open) return;
    const [tickets, wishes, refused, leases] = keeper.store
      ? await Promise.all([keeper.store.tickets(), keeper.store.all("wishes"), keeper.store.all("refused"), keeper.store.leases()])
      : [[], [], [], []];
    const paper = lastPaper();
    /** @type {Record<string, number>} */
    const left = {};
    for (const lease of leases.filter((lease) => !lease.done)) {
      for (const block of lease.blocks) {
        left[block.series] = (left[block.series] ?? 0) + block.last + 1 - (lease.next[block.letter] ?? block.first);
      }
    }
    const stock = Object.entries(left).map(([series, count]) => `${series} ${count}`);
    const printing = SETUP.printer ? (printer ?? "…") || say("ready to print") : say("the browser's own");
    const rows = [
      [say("Kiosk"), SETUP.kiosk],
      [say("Printer"), said || printing],
      [say("Server"), keeper.away ? say("does not answer") : say("answers")],
      [say("Tickets the server has not been told of"), String(tickets.length)],
      [say("Requests without an answer"), String(wishes.length)],
      [say("Numbers in stock"), stock.join(", ") || keeper.trouble || say("no numbers")],
    ];
    const focused = document.activeElement?.getAttribute("data-act");
    dialog.setAttribute("aria-label", say("For the staff"));
    dialog.replaceChildren(
      make("h2", {}, say("For the staff")),
      make("dl", {}, ...rows.flatMap(([name, value]) => [make("dt", {}, name ?? ""), make("dd", {}, value ?? "")])),
      ...(refused.length ? [make("h3", {}, say("Tickets the server would not take")), list(refused)] : []),
      make(
        "div",
        { class: "steps" },
        make("button", { type: "button", "data-act": "print", disabled: !paper, onclick: () => void printAgain() }, paper ? say("Print {number} again", { number: paper.number }) : say("Print the last ticket again")),
        make("button", { type: "button", "data-act": "close", class: "main", onclick: () => dialog.close() }, say("Close")),
      ),
    );
    /** @type {HTMLElement | null} */ (dialog.querySelector(`[data-act="${focused ?? "close"}"]`))?.focus();
  }

  /** @param {import("./store.js").Held[]} refused */
  function list(refused) {
    return make(
      "ul",
      { class: "refused" },
      ...refused.map((ticket) => make("li", {}, `${ticket.number} · ${momentOf(Date.parse(ticket.issued_at))} · ${serviceName(ticket.wish.service)}: ${ticket.why}`)),
    );
  }

  return {
    repaint: () => void repaint(),
    toggle: () => {
      if (dialog.open) dialog.close();
      else {
        said = "";
        dialog.showModal();
        void look();
      }
    },
  };
}

/** @param {string} id */
function serviceName(id) {
  const service = SETUP.menu.services.find((each) => each.id === id);
  return service ? inWords(service.name) : id;
}

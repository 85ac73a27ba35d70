// The page's two dialogs: the confirmation and the login.

import { logIn, Refused } from "./server.js";
import { served, text } from "./texts.js";

const question = document.getElementById("question");
const login = document.getElementById("login");

/** Asks the user to confirm something. */
export function ask({ heading, details, yes }) {
  question.querySelector("h2").textContent = heading;
  question.querySelector("p").textContent = details;
  question.querySelector(".danger").textContent = yes;
  question.returnValue = "no";
  question.showModal();
  return new Promise((resolve) => {
    question.addEventListener("close", () => resolve(question.returnValue === "yes"), { once: true });
  });
}

/** Lets the user log in again without leaving the page. `ended` is called with the result. */
export function askForLogin(ended) {
  if (login.open) return;
  const form = login.querySelector("form");
  const problem = login.querySelector(".problem");
  const { user, password } = form.elements;
  let done = false;
  problem.hidden = true;
  form.onsubmit = async (event) => {
    event.preventDefault();
    problem.hidden = true;
    try {
      await logIn(user.value, password.value);
      done = true;
      // The user may have closed it before the server answered.
      if (login.open) login.close();
      else ended(done);
    } catch (error) {
      problem.textContent = explain(error);
      problem.hidden = false;
    }
    password.value = "";
  };
  login.querySelector(".close").onclick = () => login.close();
  login.onclose = () => ended(done);
  login.showModal();
}

function explain(error) {
  if (!(error instanceof Refused)) return text("reason_unreachable");
  const { status, json, after } = error;
  if (status === 401) return text("login_wrong");
  if (status === 429) return text("login_often", { seconds: Math.ceil(after / 1000) });
  return text("login_failed", { message: served(json?.message ?? `HTTP ${status}`) });
}

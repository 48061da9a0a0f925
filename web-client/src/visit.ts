import { mount } from 'svelte';
import { texts } from './i18n/visit';
import './ui/base.css';
import App from './views/visit/App.svelte';
import { VisitSession } from './views/visit/session.svelte';

const LANGUAGE = 'hg:language';

const target = document.getElementById('app');
if (target) {
  const wished = [sessionStorage.getItem(LANGUAGE) ?? '', ...navigator.languages];
  const session = new VisitSession(location.hash.slice(1));
  // Another link in the same tab is another visit.
  window.addEventListener('hashchange', () => location.reload());
  await Promise.all([texts.use(texts.pick(wished)), session.start()]);
  mount(App, { target, props: { session, onlanguage: (lang: string) => sessionStorage.setItem(LANGUAGE, lang) } });
}

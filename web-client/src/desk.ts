import { mount } from 'svelte';
import { texts } from './i18n/desk';
import './ui/base.css';
import App from './views/desk/App.svelte';
import { Desk } from './views/desk/desk.svelte';

const target = document.getElementById('app');
if (target) {
  const desk = new Desk();
  await Promise.all([texts.use(texts.pick(navigator.languages)), desk.start()]);
  mount(App, { target, props: { desk } });
}

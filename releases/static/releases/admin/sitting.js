/* A list decided line by line from the keyboard. Without scripts the same buttons send the page. */
'use strict';
{
    const open = () => [...document.querySelectorAll('.card[data-open]')];
    const current = () => document.activeElement?.closest('.card') ?? open()[0];

    function go(card) {
        card?.focus({preventScroll: true});
        card?.scrollIntoView({block: 'center'});
    }

    function step(from, by) {
        const cards = [...document.querySelectorAll('.card')];
        go(cards[Math.min(Math.max(cards.indexOf(from) + by, 0), cards.length - 1)]);
    }

    async function send(card, button) {
        const form = button.form;
        if (!document.querySelector('.piles')) { /* the page of one line: the answer leads back to the list */
            form.requestSubmit(button);
            return;
        }
        const data = new FormData(form);
        data.set(button.name, button.value);
        card.setAttribute('aria-busy', 'true');
        try {
            const answer = await fetch(form.action, {
                method: 'POST', body: data, headers: {'X-Requested-With': 'fetch'}, redirect: 'manual',
            });
            if (answer.status !== 200 && answer.status !== 409) {
                throw new Error(String(answer.status));
            }
            const text = await answer.text();
            const found = new DOMParser().parseFromString(text, 'text/html').querySelector('.card');
            if (!found) {
                throw new Error('no card');
            }
            const others = open();
            const place = others.indexOf(card);
            card.replaceWith(found);
            const left = document.getElementById('left');
            if (left && found.dataset.left !== undefined) {
                left.textContent = found.dataset.left === '0' ? left.dataset.none ?? '' : `${found.dataset.left} …`;
            }
            if (answer.status === 200 && others.length && !open().length) {
                window.location.assign(window.location.pathname); /* the next pile, or what is left of this one */
                return;
            }
            go(answer.status === 200 && !found.hasAttribute('data-open') ? open()[Math.max(place, 0)] ?? open()[0] : found);
        } catch {
            /* no answer, or another page than the card: the browser asks by itself, and shows what it gets */
            const chosen = document.createElement('input');
            chosen.type = 'hidden';
            chosen.name = button.name;
            chosen.value = button.value;
            form.append(chosen);
            form.submit();
        }
    }

    document.addEventListener('click', (event) => {
        const button = event.target.closest('.cards .card button[name="choice"]');
        const card = button?.closest('.card');
        if (card) {
            event.preventDefault();
            send(card, button);
        }
    });

    document.addEventListener('keydown', (event) => {
        const typing = event.target.closest('input:not([type="hidden"]), textarea, select, .select2-container');
        if (typing || event.repeat || event.ctrlKey || event.altKey || event.metaKey || event.key.length !== 1) {
            return;
        }
        const card = current();
        if (!card) {
            return;
        }
        if (event.key === 'j' || event.key === 'k') {
            event.preventDefault();
            step(card, event.key === 'j' ? 1 : -1);
            return;
        }
        const button = card.querySelector(`button[data-key="${CSS.escape(event.key.toLowerCase())}"]`);
        if (button && card.getAttribute('aria-busy') !== 'true') {
            event.preventDefault();
            send(card, button);
        }
    });

    document.addEventListener('DOMContentLoaded', () => {
        /* Names that are still to be looked up: go on by itself. */
        document.querySelector('form[data-go-on]')?.requestSubmit();
    });
}

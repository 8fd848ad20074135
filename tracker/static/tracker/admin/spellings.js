/* Names in Latin letters, offered while the names are typed. Without this they are offered once the names are saved. */
'use strict';
{
    const place = document.querySelector('.spellings[data-url]');
    const form = place && place.closest('form');
    const prefix = place && `${place.dataset.prefix}-`;
    let waiting;
    let asking;

    /* Only what the offers are made from is sent: the rows of names, and what is ticked. */
    function typed() {
        const all = new FormData(form);
        const sent = new FormData();
        for (const [name, value] of all) {
            if (name.startsWith(prefix) || name === 'csrfmiddlewaretoken') {
                sent.append(name, value);
            }
        }
        return sent;
    }

    async function offer() {
        clearTimeout(waiting);
        asking?.abort();
        asking = new AbortController();
        try {
            const answer = await fetch(place.dataset.url, { method: 'POST', body: typed(), signal: asking.signal });
            const content = await answer.text();
            if (!answer.ok || answer.redirected) {
                return;
            }
            // what was ticked while the server thought stays ticked
            const boxes = () => [...place.querySelectorAll('input')];
            const ticked = new Map(boxes().map((box) => [box.name + box.value, box.checked]));
            const focused = place.contains(document.activeElement) ? document.activeElement.value : null;
            place.innerHTML = content;
            for (const box of boxes()) {
                box.checked = ticked.get(box.name + box.value) ?? box.checked;
                if (box.value === focused) {
                    box.focus();
                }
            }
        } catch {
            // out of reach, or asked again meanwhile: the offers come with the next change, or when the page is saved
        }
    }

    const soon = () => {
        clearTimeout(waiting);
        waiting = setTimeout(offer, 400);
    };
    const concerns = (input) => /-\d+-(text|language|kind|disclosure|DELETE)$/.test(input.name);

    if (form) {
        form.addEventListener('input', (event) => {
            if (event.target.name?.startsWith(prefix) && concerns(event.target)) {
                soon();
            }
        });
        place.addEventListener('change', (event) => {
            // a language that is ticked is chosen in its row, where it can be seen
            if (event.target.name === `${prefix}language`) {
                const [number, language] = event.target.value.split(':');
                form.elements[`${prefix}${number}-language`].value = language;
                soon();
            }
        });
        document.addEventListener('formset:removed', (event) => {
            if (`${event.detail.formsetName}-` === prefix) {
                soon();
            }
        });
    }
}

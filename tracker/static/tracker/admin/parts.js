/* What the pages do with scripts besides what they do without: a part that is added can be cited at once, the boxes
   that stand in for lists have names, and nobody leaves a page with something typed by accident. */
'use strict';
{
    /* A row that is typed and not saved has no key: in the lists of citations it goes by its number, "name:#2:text". */
    const PLACE = /^(\w+):#(\d+)(:\w+)?$/;

    const citing = (kind) => [...document.querySelectorAll(kind)].filter((input) => input.name.startsWith('citations-'));
    const lists = () => citing('select[name$="-about"]');
    const boxes = () => citing('input[type="checkbox"][name$="-also"]');
    const rowsOf = (prefix) => [...document.querySelectorAll(`#${prefix}-group .inline-related:not(.empty-form)`)];

    /* "names" is the formset of the part "name": of those that citations speak of, the one so called. */
    function partOf(prefix) {
        const known = new Set(lists().flatMap((list) => [...list.options]).map((option) => PLACE.exec(option.value)?.[1]));
        const part = prefix.replace(/s$/, '');
        return known.has(part) ? part : null;
    }

    /* The same group of choices as for the row before it, for a row that was added. */
    function offer(list, part, number) {
        const groups = [...list.querySelectorAll('optgroup')];
        const last = groups.filter((group) => PLACE.exec(group.querySelector('option')?.value)?.[1] === part).pop();
        if (!last || PLACE.exec(last.querySelector('option').value)[2] >= number) {
            return;
        }
        const before = Number(PLACE.exec(last.querySelector('option').value)[2]);
        const renamed = (text) => text.replace(` ${before + 1}`, ` ${number + 1}`);
        const group = last.cloneNode(true);
        group.label = renamed(group.label);
        for (const option of group.querySelectorAll('option')) {
            option.value = option.value.replace(`#${before}`, `#${number}`);
            option.textContent = renamed(option.textContent);
            option.selected = false;
        }
        last.after(group);
    }

    /* The rows of each part as they stood, to know which is which when one of them is taken away. */
    const stood = new Map();
    const remember = () => {
        for (const group of document.querySelectorAll('.inline-group[id$="-group"]')) {
            const prefix = group.id.replace(/-group$/, '');
            stood.set(prefix, rowsOf(prefix));
        }
    };

    document.addEventListener('formset:added', (event) => {
        const part = partOf(event.detail.formsetName);
        if (part) {
            const number = rowsOf(event.detail.formsetName).indexOf(event.target);
            lists().forEach((list) => offer(list, part, number));
        }
        remember();
    });

    document.addEventListener('formset:removed', (event) => {
        const prefix = event.detail.formsetName;
        const part = partOf(prefix);
        const rows = rowsOf(prefix);
        const now = (stood.get(prefix) || []).map((row) => rows.indexOf(row));
        const moved = (value) => {
            const place = PLACE.exec(value);
            if (!place || place[1] !== part) {
                return value;
            }
            const number = now[Number(place[2])];
            return number === undefined || number < 0 ? '' : `${part}:#${number}${place[3] || ''}`;
        };
        if (part) {
            for (const list of lists()) {
                const chosen = moved(list.value);
                for (const group of list.querySelectorAll('optgroup')) {
                    const place = PLACE.exec(group.querySelector('option')?.value);
                    // one stays, to be copied for the next row
                    if (place && place[1] === part && Number(place[2]) >= Math.max(rows.length, 1)) {
                        group.remove();
                    }
                }
                list.value = chosen;
            }
            const ticked = boxes().filter((box) => box.checked).map((box) => [box.name, moved(box.value)]);
            for (const box of boxes()) {
                box.checked = ticked.some(([name, value]) => name === box.name && value === box.value);
            }
        }
        remember();
    });

    /* The boxes that stand in for lists are named as the lists are. */
    function label(root) {
        for (const list of root.querySelectorAll('select.admin-autocomplete')) {
            const box = list.parentElement.querySelector('.select2-selection');
            const name = list.id && document.querySelector(`label[for="${CSS.escape(list.id)}"]`);
            if (box && name) {
                name.id = name.id || 'label-' + list.id;
                const shown = box.querySelector('.select2-selection__rendered');
                box.setAttribute('aria-labelledby', [name.id, shown ? shown.id : ''].join(' ').trim());
                shown?.setAttribute('aria-labelledby', name.id);
            }
        }
    }

    /* They are made, and made anew, whenever Django's scripts see fit. */
    new MutationObserver((changes) => {
        for (const change of changes) {
            for (const node of change.addedNodes) {
                if (node.classList?.contains('select2')) {
                    label(node.parentElement);
                }
            }
        }
    }).observe(document.body, { childList: true, subtree: true });
    label(document);
    remember();

    /* A page with something typed is not left by accident, nor by sending what was typed into another of its forms. */
    const typed = new Set();
    let sent = null;
    for (const form of document.querySelectorAll('#content-main form')) {
        for (const kind of ['input', 'change']) {
            form.addEventListener(kind, (event) => event.isTrusted && typed.add(form));
        }
        form.addEventListener('submit', () => { sent = form; });
    }
    window.addEventListener('beforeunload', (event) => {
        const left = [...typed].some((form) => form !== sent);
        sent = null;
        if (left) {
            event.preventDefault();
        }
    });
}

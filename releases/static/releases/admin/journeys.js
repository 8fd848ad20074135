/* Choosing people: one box for all on the page, and the number of those who are chosen as it stands. Without scripts
   the buttons below the filters choose all or nobody, and the number is that of the last page. */
'use strict';
{
    function ready() {
        const form = document.getElementById('journey_form');
        const boxes = [...(form?.querySelectorAll('input[name="person"]') ?? [])];
        const number = form?.querySelector('.how-many');
        const corner = form?.querySelector('thead .tick');
        if (!boxes.length || !number || !corner) {
            return;
        }
        const ticked = () => boxes.filter((box) => box.checked).length;
        const elsewhere = Number(number.textContent) - boxes.filter((box) => box.defaultChecked).length;
        const all = document.createElement('input');
        all.type = 'checkbox';
        all.setAttribute('aria-label', corner.dataset.label);
        corner.append(all);

        function count() {
            number.textContent = elsewhere + ticked();
            all.checked = ticked() === boxes.length;
            all.indeterminate = ticked() > 0 && !all.checked;
        }

        all.addEventListener('change', () => {
            for (const box of boxes) {
                box.checked = all.checked;
            }
            count();
        });
        form.addEventListener('change', (event) => event.target.name === 'person' && count());
        /* A page that the browser brings back has the boxes as they were left. */
        window.addEventListener('pageshow', count);
        count();
    }

    if (document.readyState === 'loading') {
        document.addEventListener('DOMContentLoaded', ready);
    } else {
        ready();
    }
}
